package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/consensys/gnark/logger"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/zkml-go/zkml/internal/printable"
	"github.com/zkml-go/zkml/service/child"
)

// app is one run of the command: its streams and the flags that all commands have.
type app struct {
	stdout, stderr io.Writer

	json, verbose, quiet bool

	log     *slog.Logger
	command string // "srs import": what is run, for JSON

	supervised bool // whether this is the worker of a serve, which decides by its exit code
}

// run is the whole command; it returns the exit code.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	// gnark logs to standard output unless told otherwise.
	logger.Disable()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// A second signal ends the process: gnark's prover can't be stopped.
	context.AfterFunc(ctx, stop)
	a := &app{stdout: stdout, stderr: stderr, log: slog.New(slog.DiscardHandler)}
	root := a.root()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	return a.fail(err)
}

// root builds the command tree.
func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "zkml",
		Short: "prove what a machine-learning model answered",
		Long: `zkml turns an ONNX model into a circuit, proves one inference, and verifies the
proof, here or in a Solidity contract.

  zkml compile model.onnx --samples samples.json -o model.zkml
  zkml setup model.zkml
  zkml prove model.zkml --input input.json -o proof.json
  zkml verify proof.json --vk model.vk

exit codes: 0 ok, 1 internal or check failed, 2 usage, 10 proof rejected,
11 files don't belong together, 12 unsupported model, 13 srs missing, wrong or
unsafe, 14 input can't be used, 15 audit found something`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          noCommand,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		PersistentPreRun: func(cmd *cobra.Command, _ []string) {
			a.command = strings.TrimPrefix(cmd.CommandPath(), "zkml ")
			if a.verbose {
				a.log = slog.New(slog.NewTextHandler(a.stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
			}
		},
	}
	flags := root.PersistentFlags()
	flags.BoolVar(&a.json, "json", false, "print the result as one JSON object")
	flags.BoolVarP(&a.verbose, "verbose", "v", false, "log what is being done")
	flags.BoolVarP(&a.quiet, "quiet", "q", false, "print no notices and no progress")
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usage(err) })
	root.AddCommand(
		a.compileCommand(), a.calibrateCommand(), a.inspectCommand(), a.setupCommand(),
		a.commitCommand(), a.proveCommand(), a.verifyCommand(), a.verifyKeyCommand(), a.exportCommand(),
		a.contextCommand(), a.deployCommand(), a.submitCommand(),
		a.srsCommand(), a.checkCommand(), a.auditCommand(), a.demoCommand(), a.devicesCommand(), a.versionCommand(),
		a.serveCommand(), a.workerCommand(), a.jobCommand(),
	)
	return root
}

// noCommand is the argument check of a command that only has subcommands.
func noCommand(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usagef("%q is no command of %q; see %s --help", args[0], cmd.CommandPath(), cmd.CommandPath())
	}
	return nil
}

// exactArgs wants one argument for each name.
func exactArgs(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != len(names) {
			want := strings.Join(names, " ")
			if want == "" {
				want = "no argument"
			}
			return usagef("%s takes %s, found %d arguments; see %s --help", cmd.CommandPath(), want, len(args), cmd.CommandPath())
		}
		return nil
	}
}

// output adds the flag for the path that is written.
func output(flags *pflag.FlagSet, path *string, what string) {
	flags.StringVarP(path, "output", "o", "", what)
}

// insecure adds the flag that lets a development key pass.
func insecure(flags *pflag.FlagSet, allow *bool) {
	flags.BoolVar(allow, "insecure-dev-srs", false, "accept the development srs, whose secret is public: anyone can forge its proofs")
}

// require returns a usage error if a flag that has no default isn't given.
func require(name, value string) error {
	if value == "" {
		return usagef("flag --%s is required", name)
	}
	return nil
}

// notice tells the user something that is no error.
func (a *app) notice(format string, args ...any) {
	if !a.quiet {
		printable.Fprintf(a.stderr, "zkml: note: "+format+"\n", args...)
	}
}

// fail reports an error and returns its exit code.
func (a *app) fail(err error) int {
	if errors.Is(err, context.Canceled) {
		err = errors.New("interrupted")
	}
	code, hint := classify(err)
	if a.supervised && is[*usageError](err) {
		code = child.Hopeless // of others' errors with the same code the next worker may have none
	}
	text := printable.Lines("zkml: " + strings.ReplaceAll(err.Error(), "\n", "\n  "))
	fmt.Fprintln(a.stderr, text)
	if hint != "" {
		printable.Fprintf(a.stderr, "hint: %s\n", hint)
	}
	if a.json {
		// Nothing else can be done if standard output is gone.
		_ = a.printJSON(struct {
			Error failure `json:"error"`
		}{failure{Code: code, Message: err.Error(), Hint: hint}})
	}
	return code
}

// failure is an error in JSON.
type failure struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
}
