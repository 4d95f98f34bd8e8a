// Command loadclient puts a prover service under load, from a process of its own, and
// prints what came of it as JSON (package load). It exits with 1 unless every job has one
// proof that verifies. The API key is in ZKML_TOKEN.
//
//	loadclient -server http://127.0.0.1:8080 -job testdata/mlp:450 -job testdata/lenet5:50 -clients 50
//	loadclient -library -job testdata/mlp:450 -job testdata/lenet5:50
//
// With -submit it ends once the jobs are accepted; its output given as -check FILE later
// waits for them and judges them.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"github.com/consensys/gnark/logger"

	"github.com/zkml-go/zkml/prover/srs"
	"github.com/zkml-go/zkml/service/internal/load"
)

func main() {
	logger.Disable()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "loadclient:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	c := load.Config{Token: os.Getenv("ZKML_TOKEN")}
	flag.Func("job", "`FOLDER:JOBS`: a model's folder and how many proofs of it; may be repeated", func(s string) error {
		m, err := load.ParseMix(s)
		c.Mix = append(c.Mix, m)
		return err
	})
	flag.StringVar(&c.Server, "server", "http://127.0.0.1:8080", "URL of the service")
	flag.IntVar(&c.Clients, "clients", 50, "how many clients there are at a time")
	flag.DurationVar(&c.Ramp, "ramp", 0, "the time over which the clients begin, one after another")
	flag.DurationVar(&c.Poll, "poll", time.Second, "how often a client asks for its job's state")
	flag.DurationVar(&c.Patience, "patience", 2*time.Minute, "how long a request is repeated that has no good answer")
	flag.StringVar(&c.Name, "name", fmt.Sprint(time.Now().UnixNano()), "tells runs apart: jobs of one name are the same jobs")
	flag.Uint64Var(&c.Seed, "seed", 1, "the order of the jobs")
	flag.BoolVar(&c.Submit, "submit", false, "end once the jobs are accepted")
	flag.Func("watch", "`pid` of a process whose memory is looked at, with that of its children", func(s string) error {
		pid, err := strconv.Atoi(s)
		c.Watch = append(c.Watch, load.Family(pid)...)
		return err
	})
	check := flag.String("check", "", "`file` that -submit printed: wait for those jobs")
	library := flag.Bool("library", false, "prove with the library in a loop instead")
	limit := flag.Duration("timeout", time.Hour, "when to give up")
	flag.Parse()
	if len(c.Mix) == 0 || flag.NArg() > 0 || c.Clients < 1 || c.Poll <= 0 {
		return errors.New("want -job FOLDER:JOBS, and no arguments")
	}
	ctx, cancel := context.WithTimeout(ctx, *limit)
	defer cancel()
	if *library {
		cache, err := srs.DefaultCache()
		if err != nil {
			return err
		}
		report, err := load.Library(ctx, c.Mix, cache)
		if err != nil {
			return err
		}
		return print(report)
	}
	if *check != "" {
		var before load.Report
		data, err := os.ReadFile(*check)
		if err == nil {
			err = json.Unmarshal(data, &before)
		}
		if err != nil {
			return err
		}
		c.Check = before.Accepted
	}
	report, err := load.Run(ctx, c)
	if err != nil {
		return err
	}
	if err := print(report); err != nil || c.Submit && report.Refused == 0 {
		return err
	}
	return report.Err()
}

// print writes a report.
func print(report any) error {
	out := json.NewEncoder(os.Stdout)
	out.SetIndent("", "  ")
	return out.Encode(report)
}
