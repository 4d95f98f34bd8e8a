package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/zkml-go/zkml/internal/printable"
	"github.com/zkml-go/zkml/prover/srs"
	"github.com/zkml-go/zkml/service"
	"github.com/zkml-go/zkml/service/api"
	"github.com/zkml-go/zkml/service/blob/s3"
	"github.com/zkml-go/zkml/service/child"
	"github.com/zkml-go/zkml/service/job"
	"github.com/zkml-go/zkml/service/queue"
)

// serviceFlags are the flags of everything that opens a prover service.
type serviceFlags struct {
	data, nats, operatorKey string
	blobs                   string
	memory                  int64
	replicas, maxFaults     int
	takeover, grace         time.Duration
	dev, check              bool
	device                  deviceFlag
}

// add defines the flags.
func (f *serviceFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&f.data, "data", "zkml-data", "`folder` of everything that is kept")
	flags.StringVar(&f.nats, "nats", "", "`URL` of a nats with jetstream, instead of the embedded one; one with a password belongs into "+natsVariable+" of the environment")
	flags.StringVar(&f.blobs, "blobs", "", "`URL` of an s3-compatible store for files, s3://bucket/prefix?endpoint=https://host, instead of the folder; its credentials are AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY of the environment")
	flags.StringVar(&f.operatorKey, "operator-key", "", "`file` of the key that wraps all others, outside of the data folder; made if it isn't there (default: zkml/operator.key in the user's configuration)")
	flags.IntVar(&f.replicas, "replicas", 0, "on how many servers of a nats cluster everything lies, 1, 3 or 5 (default: as it is, and 1 at first)")
}

// natsVariable has the URL of the NATS where no flag gives it.
const natsVariable = "ZKML_NATS"

// addWorker defines the flags of a program that has a worker.
func (f *serviceFlags) addWorker(flags *pflag.FlagSet) {
	flags.Int64Var(&f.memory, "memory", 4096, "what jobs may use, in `MiB`")
	flags.DurationVar(&f.takeover, "takeover", 30*time.Second, "how long a worker may be silent before its job goes to another one")
	flags.IntVar(&f.maxFaults, "max-faults", job.DefaultPolicy.MaxFaults, "after how many lost workers and other faults a job is given up")
	flags.DurationVar(&f.grace, "grace", 20*time.Second, "how long a job may go on when the program is told to end")
	flags.BoolVar(&f.check, "check", false, "say of every part whether it is as it should be, and end")
	f.device.add(flags)
	insecure(flags, &f.dev)
}

// config turns the flags into a service's.
func (f *serviceFlags) config(a *app) (service.Config, error) {
	c := service.Config{
		Data: f.data, Blobs: f.blobs, NATS: cmp.Or(f.nats, os.Getenv(natsVariable)), OperatorKey: f.operatorKey, Queue: queue.DefaultOptions(), Limits: api.DefaultLimits,
		AllowDevelopment: f.dev, Memory: f.memory << 20, Retention: 7 * 24 * time.Hour, Grace: f.grace,
		Log: slog.New(slog.NewJSONHandler(a.stderr, nil)),
	}
	if a.quiet {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if f.blobs != "" {
		if _, err := s3.Parse(f.blobs); err != nil {
			return c, usage(err)
		}
	}
	if err := service.CheckNATS(c.NATS); err != nil {
		return c, usage(err)
	}
	if err := f.device.check(); err != nil {
		return c, err
	}
	if f.replicas != 0 && f.replicas != 1 && f.replicas != 3 && f.replicas != 5 {
		return c, usagef("--replicas %d: want 1, 3 or 5: an even number survives no more than the odd one below it", f.replicas)
	}
	c.Queue.Replicas = f.replicas
	switch {
	case f.takeover == 0:
	case f.takeover < time.Second:
		return c, usagef("--takeover %v: want at least 1s", f.takeover)
	default:
		c.Queue.Takeover = f.takeover
	}
	switch {
	case f.maxFaults < 0:
		return c, usagef("--max-faults %d: want at least 1", f.maxFaults)
	case f.maxFaults > 0:
		c.Queue.Policy.MaxFaults = f.maxFaults
	}
	if c.OperatorKey == "" {
		folder, err := os.UserConfigDir()
		if err != nil {
			return c, usagef("flag --operator-key is required: %v", err)
		}
		c.OperatorKey = filepath.Join(folder, "zkml", "operator.key")
	}
	var err error
	c.SRS, err = srs.DefaultCache()
	return c, err
}

// largestJob is the memory that a job of a server may need: what the flag says, if it is given,
// or what the only worker has. Where there may be others elsewhere, it is the usual limit.
func largestJob(c *service.Config, given bool) int64 {
	if only := c.Share && c.NATS == ""; (given || only) && c.Memory > 0 {
		return c.Memory
	}
	return api.DefaultLimits.Memory
}

func (a *app) serveCommand() *cobra.Command {
	var f serviceFlags
	var listen, cert, key string
	var noAuth, noWorker, insecureWebhooks bool
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "run a prover service",
		Long: `Serve runs a prover service: its interface, its queue and a worker, with everything in
one folder. Who may use it is said by zkml serve keys; --no-auth serves every program of
this machine instead. The worker is a process of its own, at a lower priority, that is
started again whenever it ends. Jobs that need more than --memory aren't accepted; where
there may be other workers, with --nats or --no-worker, the bound is 16 GiB unless --memory
says what the largest of them has. Serve logs to standard error, and ends on SIGTERM when
the job at work has, or has been given back.`,
		Args: exactArgs(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := f.config(a)
			if err != nil {
				return err
			}
			if (cert == "") != (key == "") {
				return usagef("--tls-cert and --tls-key belong together")
			}
			c.NoAuth, c.InsecureWebhooks, c.Share = noAuth, insecureWebhooks, !noWorker
			c.Limits.Memory = largestJob(&c, cmd.Flags().Changed("memory"))
			l, err := net.Listen("tcp", listen)
			if err != nil {
				return usage(err)
			}
			defer l.Close()
			scheme := "http"
			var parts []service.Finding
			if cert != "" {
				pair, err := tls.LoadX509KeyPair(cert, key)
				if err != nil {
					return usage(err)
				}
				parts = append(parts, checkCertificate(&pair, time.Now()))
				scheme = "https"
				l = tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12})
			}
			var flush func()
			if c.Tracer, flush, err = tracing(cmd.Context()); err != nil {
				return err
			}
			defer flush()
			s, err := service.Open(cmd.Context(), c)
			if err != nil {
				return err
			}
			defer s.Close()
			if f.check {
				return a.checkService(cmd.Context(), s, parts...)
			}
			printable.Fprintf(a.stdout, "listening on %s://%s\n", scheme, l.Addr())
			return together(cmd.Context(), func(ctx context.Context) error { return s.Serve(ctx, l) }, func(ctx context.Context) error {
				if noWorker {
					<-ctx.Done()
					return nil
				}
				return a.childWorker(cmd, s).Run(ctx)
			})
		},
	}
	flags := cmd.Flags()
	f.add(flags)
	f.addWorker(flags)
	flags.StringVar(&listen, "listen", "127.0.0.1:8080", "`address` to listen on")
	flags.StringVar(&cert, "tls-cert", "", "`file` of the certificate, PEM")
	flags.StringVar(&key, "tls-key", "", "`file` of its key, PEM")
	flags.BoolVar(&noAuth, "no-auth", false, "want no api keys; only on a loopback address, and for programs of this machine")
	flags.BoolVar(&insecureWebhooks, "insecure-webhooks", false, "let webhooks go to addresses of this machine and network, and over http; for tests")
	flags.BoolVar(&noWorker, "no-worker", false, "do no jobs in this program")
	cmd.AddCommand(a.serveKeysCommand())
	return cmd
}

// supervised is the flag of the worker that serve runs.
const supervised = "supervised"

// childWorker is the worker command with serve's flags, as far as it has them. Where the queue
// is it reads from its standard input, because that has a password, after the tag of its name.
func (a *app) childWorker(serve *cobra.Command, s *service.Service) child.Program {
	args := []string{os.Args[0], "worker", "--" + supervised}
	known := a.workerCommand().Flags()
	serve.Flags().Visit(func(f *pflag.Flag) {
		if f.Name == "nats" || known.Lookup(f.Name) == nil && serve.InheritedFlags().Lookup(f.Name) == nil {
			return
		}
		values := []string{f.Value.String()}
		if list, ok := f.Value.(pflag.SliceValue); ok {
			values = list.GetSlice()
		}
		for _, value := range values {
			args = append(args, "--"+f.Name+"="+value)
		}
	})
	tag := newTag()
	return child.Program{
		Args: args, Greeting: tag + " " + s.NATSURL(), Stderr: a.stderr, Patience: s.Grace + endPatience,
		Backoff: 100 * time.Millisecond, MaxBackoff: 30 * time.Second, Log: s.Log,
		Ended: func(pid int) { go s.Vanished(serve.Context(), workerName(tag, pid)) },
	}
}

// endPatience is what a worker may take after the grace, to give its job back.
const endPatience = 10 * time.Second

func (a *app) workerCommand() *cobra.Command {
	var f serviceFlags
	cmd := &cobra.Command{
		Use:   "worker --nats URL",
		Short: "do jobs of a prover service",
		Long: `Worker does the jobs of a prover service whose queue is on another machine. It needs
the service's files, by the same --blobs or as the same folder in --data, and its operator's
key.`,
		Args: exactArgs(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			tag := newTag()
			if a.supervised {
				greeting, attached, err := child.Attach(ctx, cmd.InOrStdin(), func() { os.Exit(exitInternal) })
				if err != nil {
					return err
				}
				ctx = attached
				tag, f.nats, _ = strings.Cut(greeting, " ")
			}
			c, err := f.config(a)
			if err != nil {
				return err
			}
			if err := require("nats", c.NATS); err != nil {
				return err
			}
			var flush func()
			if c.Tracer, flush, err = tracing(ctx); err != nil {
				return err
			}
			defer flush()
			s, err := service.Open(ctx, c)
			if err != nil {
				return err
			}
			defer s.Close()
			if f.check {
				return a.checkService(ctx, s)
			}
			return f.work(ctx, s, workerName(tag, os.Getpid()))
		},
	}
	flags := cmd.Flags()
	f.add(flags)
	f.addWorker(flags)
	flags.BoolVar(&a.supervised, supervised, false, "read the URL of the nats from standard input, and end with it")
	flags.Lookup(supervised).Hidden = true
	return cmd
}

// work does a service's jobs on the device, as the worker of a name.
func (f *serviceFlags) work(ctx context.Context, s *service.Service, name string) error {
	device, options, free, err := f.device.open(false, func(err error) { s.Log.Warn("device", "error", err.Error()) })
	if err != nil {
		return err
	}
	defer free()
	s.Log.Info("worker started", "device", device)
	s.Prover, s.Device = options, device
	return s.Work(ctx, name)
}

// newTag returns eight digits that hardly any other program of the service has.
func newTag() string { return fmt.Sprintf("%08x", rand.Uint32()) }

// workerName tells the worker of a process from all others. The tag is that of the process or
// of who started it: containers may share a host's name, and each has a process 1.
func workerName(tag string, pid int) string {
	host, err := os.Hostname()
	if err != nil {
		host = "worker"
	}
	return fmt.Sprintf("%s-%s-%d", host, tag, pid)
}

// together runs parts until ctx ends or one of them does, and then ends the others.
func together(ctx context.Context, parts ...func(context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error)
	for _, part := range parts {
		go func() { ended <- part(ctx) }()
	}
	var err error
	for range parts {
		err = errors.Join(err, <-ended)
		cancel()
	}
	return err
}
