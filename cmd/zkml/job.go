package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/zkml-go/zkml"
	"github.com/zkml-go/zkml/internal/printable"
	"github.com/zkml-go/zkml/prover"
	"github.com/zkml-go/zkml/service/blob"
	"github.com/zkml-go/zkml/service/client"
)

// Variables of the environment that say which service to use and as whom. The token isn't a
// flag, because everyone on a machine sees the flags of its programs.
const (
	serverVariable = "ZKML_SERVER"
	tokenVariable  = "ZKML_TOKEN"
)

// jobError is a job that has no result.
type jobError struct{ job client.Job }

func (e *jobError) Error() string {
	text := fmt.Sprintf("%s %s %s", e.job.Kind, e.job.ID, e.job.State)
	if f := e.job.Failure; f != nil {
		text += fmt.Sprintf(" (%s, fault of the %s): %s", f.Code, f.Fault, f.Message)
	}
	return text
}

// exit returns the exit code that the same failure would have here.
func (e *jobError) exit() int {
	if e.job.Failure == nil || e.job.Failure.Fault != "user" {
		return exitInternal
	}
	switch e.job.Failure.Code {
	case "input", "input_range":
		return exitInput
	case "model", "unsupported", "accuracy", "too_large":
		return exitModel
	}
	return exitUsage
}

// jobFlags are the flags of all commands of a job.
type jobFlags struct {
	server string
	build  bool
}

func (f *jobFlags) client() *client.Client { return client.New(f.server, os.Getenv(tokenVariable)) }

func (f *jobFlags) kind() string {
	if f.build {
		return "build"
	}
	return "proof"
}

func (a *app) jobCommand() *cobra.Command {
	var f jobFlags
	cmd := &cobra.Command{
		Use:   "job",
		Short: "have a prover service prove",
		Long: `Job talks to a prover service, that of --server or ` + serverVariable + `, with the api key in
` + tokenVariable + `.`,
		Args: noCommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	flags := cmd.PersistentFlags()
	flags.StringVar(&f.server, "server", cmp.Or(os.Getenv(serverVariable), "http://127.0.0.1:8080"), "`URL` of the service")
	flags.BoolVar(&f.build, "build", false, "the job is the build of a model, not a proof")
	one := func(name, short string, do func(context.Context, *client.Client, client.Job) (client.Job, error)) *cobra.Command {
		return &cobra.Command{
			Use: name + " ID", Short: short, Args: exactArgs("ID"),
			RunE: func(cmd *cobra.Command, args []string) error {
				j, err := do(cmd.Context(), f.client(), client.Job{ID: args[0], Kind: f.kind()})
				if err != nil {
					return err
				}
				return a.emit(j, func(w io.Writer) { printJob(w, &j) })
			},
		}
	}
	cmd.AddCommand(
		a.jobSubmitCommand(&f),
		one("get", "describe a job", func(ctx context.Context, c *client.Client, j client.Job) (client.Job, error) {
			return c.Get(ctx, j.Kind, j.ID)
		}),
		one("wait", "wait until a job has ended", func(ctx context.Context, c *client.Client, j client.Job) (client.Job, error) {
			return ended(c.Wait(ctx, j, nil))
		}),
		one("cancel", "end a job", func(ctx context.Context, c *client.Client, j client.Job) (client.Job, error) {
			return c.Cancel(ctx, j.Kind, j.ID)
		}),
		one("logs", "follow a job's states and stages until it has ended", func(ctx context.Context, c *client.Client, j client.Job) (client.Job, error) {
			return c.Wait(ctx, j, a.tellJob())
		}),
		a.jobListCommand(&f),
		a.webhookSecretCommand(&f),
	)
	return cmd
}

func (a *app) webhookSecretCommand(f *jobFlags) *cobra.Command {
	var renew bool
	cmd := &cobra.Command{
		Use: "webhook-secret", Short: "show what the service signs webhooks with", Args: exactArgs(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := f.client().WebhookSecret(cmd.Context(), renew)
			if err != nil {
				return err
			}
			return a.emit(s, func(w io.Writer) { printable.Fprintf(w, "%s\n", s.Secret) })
		},
	}
	cmd.Flags().BoolVar(&renew, "renew", false, "replace it; for a day, webhooks are signed with both")
	return cmd
}

// tellJob returns what writes the changes of a job to standard error.
func (a *app) tellJob() func(client.Job) {
	var last string
	return func(j client.Job) {
		text := j.State
		if j.Stage != "" {
			text += ": " + j.Stage
		}
		if text != last && !a.quiet {
			printable.Fprintf(a.stderr, "zkml: %s %s %s\n", time.Now().Format(time.TimeOnly), j.Kind, text)
		}
		last = text
	}
}

// ended turns a job that has ended without a result into an error.
func ended(j client.Job, err error) (client.Job, error) {
	if err == nil && j.State != "succeeded" {
		err = &jobError{j}
	}
	return j, err
}

// printJob writes a line.
func printJob(w io.Writer, j *client.Job) {
	printable.Fprintf(w, "%s\t%s\t%s\t%s\n", j.ID, j.State, j.Created.Format(time.RFC3339), j.Model)
	if j.Failure != nil {
		printable.Fprintf(w, "%s, fault of the %s: %s\n", j.Failure.Code, j.Failure.Fault, j.Failure.Message)
	}
}

func (a *app) jobListCommand(f *jobFlags) *cobra.Command {
	var state, model, after string
	var limit int
	cmd := &cobra.Command{
		Use: "ls", Short: "list jobs, the newest first", Args: exactArgs(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			query := url.Values{"limit": {fmt.Sprint(limit)}}
			for name, value := range map[string]string{"state": state, "model": model, "after": after} {
				if value != "" {
					query.Set(name, value)
				}
			}
			page, err := f.client().List(cmd.Context(), f.kind(), query)
			if err != nil {
				return err
			}
			return a.emit(page, func(w io.Writer) {
				for i := range page.Jobs {
					printJob(w, &page.Jobs[i])
				}
				if page.Next != "" {
					a.notice("there are more: --after %s", page.Next)
				}
			})
		},
	}
	cmd.Flags().StringVar(&state, "state", "", "only jobs in this state")
	cmd.Flags().StringVar(&model, "model", "", "only jobs of the model of this sha256")
	cmd.Flags().StringVar(&after, "after", "", "where the page begins")
	cmd.Flags().IntVar(&limit, "limit", 100, "length of the page")
	return cmd
}

// jobSubmitFlags are the flags of job submit.
type jobSubmitFlags struct {
	*jobFlags
	input, samples, word, priority, out, key string
	webhook                                  string
	clamp, detach, dev                       bool
	deadline                                 time.Duration
}

// jobSubmitResult is what job submit prints.
type jobSubmitResult struct {
	client.Job
	File     string         `json:"file,omitempty"`
	Secrets  string         `json:"secrets,omitempty"`
	Verified bool           `json:"verified"`
	Values   []prover.Value `json:"values,omitempty"`
}

func (a *app) jobSubmitCommand(f *jobFlags) *cobra.Command {
	s := jobSubmitFlags{jobFlags: f}
	cmd := &cobra.Command{
		Use:   "submit MODEL --input INPUT.json",
		Short: "have a model's answer proven, wait, and verify the proof",
		Long: `Submit has a service prove a model's answer, waits for the proof and verifies it. MODEL is
a compiled model, which is sent if the service hasn't it, an ONNX file, which the service
compiles, or the sha256 of a model that the service has. Files and inputs are sent to the
service, which keeps them sealed, but could read them.`,
		Args: exactArgs("MODEL"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := require("input", s.input); err != nil {
				return err
			}
			r, err := a.submitJob(cmd, args[0], &s)
			if err != nil {
				return err
			}
			return a.emit(r, func(w io.Writer) {
				if s.detach {
					printJob(w, &r.Job)
					return
				}
				printable.Fprintf(w, "%s: proved by the service, verified here\n", r.File)
				printValues(w, r.Values, "output")
				if r.Secrets != "" {
					printable.Fprintf(w, "%s: the salts and the answers that the proof doesn't show; keep it secret\n", r.Secrets)
				}
			})
		},
	}
	flags := cmd.Flags()
	s.add(flags)
	insecure(flags, &s.dev)
	return cmd
}

// add defines the flags.
func (s *jobSubmitFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&s.input, "input", "", "`file` with the model's input, JSON")
	flags.StringVar(&s.samples, "samples", "", "`file` of sample inputs that an ONNX file is calibrated on")
	flags.StringVar(&s.word, "context", "0", "the word that binds the proof to one use, at most 248 bits")
	flags.BoolVar(&s.clamp, "clamp", false, "move inputs outside their interval to its nearest end instead of refusing them")
	flags.StringVar(&s.priority, "priority", "normal", "high, normal or low")
	flags.DurationVar(&s.deadline, "deadline", 0, "give up after this time")
	flags.StringVar(&s.webhook, "webhook", "", "https `URL` that is told when the proof is there, or never will be")
	flags.BoolVar(&s.detach, "detach", false, "don't wait for the proof")
	flags.StringVar(&s.key, "vk", "", "the verifying key (default: the service's, which is not pinned)")
	flags.StringVarP(&s.out, "output", "o", "proof.json", "the proof")
}

// submitJob does all of submit but the printing.
func (a *app) submitJob(cmd *cobra.Command, model string, s *jobSubmitFlags) (*jobSubmitResult, error) {
	ctx, c := cmd.Context(), s.client()
	inputs, err := os.ReadFile(s.input)
	if err != nil {
		return nil, err
	}
	if !json.Valid(inputs) {
		return nil, usagef("%s isn't JSON: a service takes no other inputs", s.input)
	}
	name, err := a.serviceModel(ctx, c, model, s)
	if err != nil {
		return nil, err
	}
	request := client.ProofRequest{Model: name, Inputs: inputs, Context: s.word, Clamp: s.clamp, Priority: s.priority, Webhook: s.webhook}
	if s.deadline > 0 {
		due := time.Now().Add(s.deadline)
		request.Deadline = &due
	}
	key := idempotencyKey()
	j, err := persist(ctx, func() (client.Job, error) { return c.Prove(ctx, request, key) })
	if err != nil || s.detach {
		return &jobSubmitResult{Job: j}, err
	}
	if j, err = ended(c.Wait(ctx, j, a.tellJob())); err != nil {
		return nil, err
	}
	return a.fetchProof(ctx, c, j, s)
}

// serviceModel returns the sha256 of a model that the service has, after sending it if need
// be.
func (a *app) serviceModel(ctx context.Context, c *client.Client, model string, s *jobSubmitFlags) (string, error) {
	if raw, err := hex.DecodeString(model); err == nil && len(raw) == sha256.Size {
		return model, nil
	}
	data, err := os.ReadFile(model)
	if err != nil {
		return "", err
	}
	var request client.BuildRequest
	if filepath.Ext(model) == ".onnx" {
		request.ONNX = &client.Source{Data: data}
		if s.samples != "" {
			samples, err := os.ReadFile(s.samples)
			if err != nil {
				return "", err
			}
			request.Samples = &client.Source{Data: samples}
		}
	} else {
		name := blob.Sum(data).String()
		_, err := persist(ctx, func() (client.Model, error) { return c.Model(ctx, name) })
		var p *client.Problem
		if err == nil || !errors.As(err, &p) || p.Status != http.StatusNotFound {
			return name, err
		}
		request.Model = &client.Source{Data: data}
	}
	key := idempotencyKey()
	j, err := persist(ctx, func() (client.Job, error) { return c.Build(ctx, request, key) })
	if err == nil {
		j, err = ended(c.Wait(ctx, j, a.tellJob()))
	}
	return j.Model, err
}

// fetchProof fetches the proof, verifies it and writes it.
func (a *app) fetchProof(ctx context.Context, c *client.Client, j client.Job, s *jobSubmitFlags) (*jobSubmitResult, error) {
	var text, key, secrets bytes.Buffer
	if err := c.Proof(ctx, j.ID, &text); err != nil {
		return nil, err
	}
	proof, err := prover.ReadProof(bytes.NewReader(text.Bytes()))
	if err != nil {
		return nil, err
	}
	var vk *prover.VerifyingKey
	if s.key != "" {
		vk, err = readFile(s.key, prover.ReadVerifyingKey)
	} else if err = c.VerifyingKey(ctx, j.Model, &key); err == nil {
		a.notice("the key isn't pinned: it comes from the service; give --vk")
		vk, err = prover.ReadVerifyingKey(&key)
	}
	if err != nil {
		return nil, err
	}
	word, err := zkml.ParseContext(s.word)
	if err != nil {
		return nil, usage(err)
	}
	if _, err := zkml.Verify(vk, proof, zkml.Expectation{Context: &word, AllowDevelopmentSRS: s.dev}); err != nil {
		return nil, err
	}
	r := &jobSubmitResult{Job: j, File: s.out, Verified: true, Values: proof.Values}
	err = c.Secrets(ctx, j.ID, &secrets)
	var p *client.Problem
	if err != nil && (!errors.As(err, &p) || p.Status != http.StatusNotFound) {
		return nil, err
	}
	if err == nil {
		r.Secrets = beside(s.out, ".secrets.json")
		err := a.writeMode(r.Secrets, 0o600, func(w io.Writer) error { _, err := w.Write(secrets.Bytes()); return err })
		if err != nil {
			return nil, err
		}
	}
	return r, a.writeFile(s.out, func(w io.Writer) error { _, err := w.Write(text.Bytes()); return err })
}

// idempotencyKey returns a key under which a request may be repeated.
func idempotencyKey() string { return rand.Text() }

// patience is how long a request is repeated while the service can't be reached or is busy.
const patience = 20 * time.Second

// persist repeats a request that makes no difference when it is repeated, unless it would have
// to wait for longer than patience lasts, as for a quota of a day.
func persist[T any](ctx context.Context, do func() (T, error)) (T, error) {
	for begin := time.Now(); ; {
		result, err := do()
		var p *client.Problem
		if err == nil || errors.As(err, &p) && p.Status != http.StatusTooManyRequests && p.Status < 500 {
			return result, err
		}
		wait := 200 * time.Millisecond
		if p != nil {
			wait = max(wait, p.RetryAfter)
		}
		if time.Since(begin)+wait > patience {
			return result, err
		}
		select {
		case <-ctx.Done():
			return result, ctx.Err()
		case <-time.After(wait):
		}
	}
}
