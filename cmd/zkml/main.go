// Command zkml proves what a machine-learning model answered.
//
// Its manners: results go to standard output, everything else — notices, progress,
// logs, errors — to standard error. Messages are in lower case and begin with
// "zkml: "; what to do about an error follows in a line that begins with "hint: ".
// Every path that is written is given with -o, and files appear whole or not at all.
// --json makes the result one JSON object of schema version 1. The exit code says
// what kind of thing went wrong; see exit.go.
package main

import (
	"os"
)

func main() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }
