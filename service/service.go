// Package service is the prover service: jobs in, proofs out, on one machine or on many.
//
// [Open] connects the parts; [Service.Serve] answers HTTP requests and [Service.Work] does
// jobs, in one program or in several. The path of a proof:
//
//	package api     checks the request, seals the inputs into the blobs, submits a job
//	package queue   keeps the job's record, and hands it to a worker until it ends
//	package work    proves, stores the proof, records its name
//	package client  waits, and fetches it
//
// What must not be lost lies in records (NATS JetStream, embedded or a cluster) and blobs;
// everything else can be killed at any moment. Package job says why that is right.
//
// # What deletion guarantees
//
// Inputs, hidden weights, salts and the texts of errors are sealed with a key of their
// job, or model, which lies in its record, wrapped by the operator's key; that one is in a
// file outside of the data folder. When a job's record is deleted, its private blobs are
// deleted at the second collection of one server process that finds nothing that refers to
// them, if they are above an hour of age then; collections are ten minutes apart. What remains
// of them anywhere — free space, snapshots, backups of the blobs — opens with the wrapped key
// and the operator's key alone. The wrapped key may remain in JetStream's files until they are
// compacted: a copy of the data folder that is taken after the deletion, and before that, can
// still open backups of the blobs together with the operator's key, and so can a backup of the
// records for as long as it is kept. Whoever destroys the operator's key destroys all of it. What a proof shows, and public blobs, aren't sealed.
package service

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.opentelemetry.io/otel/trace"

	"github.com/zkml-go/zkml"
	"github.com/zkml-go/zkml/prover/srs"
	"github.com/zkml-go/zkml/service/access"
	"github.com/zkml-go/zkml/service/api"
	"github.com/zkml-go/zkml/service/blob"
	"github.com/zkml-go/zkml/service/blob/s3"
	"github.com/zkml-go/zkml/service/embedded"
	"github.com/zkml-go/zkml/service/page"
	"github.com/zkml-go/zkml/service/queue"
	"github.com/zkml-go/zkml/service/seal"
	"github.com/zkml-go/zkml/service/work"
)

// Config says where a service keeps its data and how it behaves.
type Config struct {
	// Data is the folder of blobs and, without NATS, of records.
	Data string
	// Blobs is where blobs are instead, s3://bucket/prefix?endpoint=…; see package s3. "" is
	// the folder.
	Blobs string
	// Disk, if set, stands between the folder of blobs and what is written there.
	Disk func(blob.Disk) blob.Disk
	// NATS is the URL of a NATS with JetStream; "" runs one in this program.
	NATS string
	// Share lets other programs of this machine reach that one, if they know NATSURL.
	Share bool
	// OperatorKey is the file of the operator's key, outside of Data. It is made if it isn't
	// there.
	OperatorKey string
	Queue       queue.Options
	Limits      api.Limits
	// NoAuth serves everyone on this machine, without API keys.
	NoAuth bool
	// Device is what this program's worker makes proofs on, in words.
	Device string
	// InsecureWebhooks lets webhooks go to all addresses, and over http; for tests.
	InsecureWebhooks bool
	// SRS is where structured reference strings come from.
	SRS              *srs.Cache
	AllowDevelopment bool
	// Memory is what this program's worker may use, in bytes.
	Memory int64
	// Prover says what this program's worker proves on.
	Prover zkml.ProverOptions
	// Retention is how long jobs are kept after their end.
	Retention time.Duration
	// Grace is how long a job may go on after the program was told to end.
	Grace time.Duration
	Log   *slog.Logger
	// Tracer, if set, is told of requests, jobs and their stages.
	Tracer trace.Tracer
}

// Service is a connected prover service.
type Service struct {
	Config
	server   *embedded.Server // nil with another NATS
	nc       *nats.Conn
	queue    *queue.Queue
	models   *work.Models
	keys     *access.Keys
	tenants  *access.Tenants
	roster   *work.Roster
	limits   sync.Map // of limit, by tenant; the workers'
	webhooks jetstream.KeyValue
	blobs    blob.Store
	operator seal.Key
	doomed   map[string]bool // blobs that nothing referred to at the last collection
	end      context.CancelFunc
}

// Open connects to NATS and the blobs, or makes them.
func Open(ctx context.Context, c Config) (*Service, error) {
	if err := outside(c.OperatorKey, c.Data); err != nil {
		return nil, err
	}
	c.Limits.Patience = cmp.Or(c.Limits.Patience, api.DefaultPatience)
	s := &Service{Config: c}
	caller := ctx
	ctx, s.end = context.WithCancel(context.WithoutCancel(ctx)) // for as long as the service is open
	stop := context.AfterFunc(caller, s.end)
	defer stop()
	if err := s.open(ctx); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// open does it part by part. What it made is there if it fails.
func (s *Service) open(ctx context.Context) (err error) {
	if s.operator, err = seal.ReadKey(s.OperatorKey); err != nil {
		return err
	}
	if s.blobs, err = openBlobs(ctx, s.Config); err != nil {
		return err
	}
	if err := s.connect(ctx); err != nil {
		return err
	}
	return s.openRecords(ctx)
}

// openBlobs opens the store of blobs.
func openBlobs(ctx context.Context, c Config) (blob.Store, error) {
	if c.Blobs == "" {
		d, err := blob.OpenDir(filepath.Join(c.Data, "blobs"))
		if err == nil && c.Disk != nil {
			d = d.On(c.Disk)
		}
		return asStore(d, err)
	}
	location, err := s3.Parse(c.Blobs)
	if err != nil {
		return nil, err
	}
	return asStore(s3.Open(ctx, location))
}

// asStore returns nothing for a store that couldn't be opened.
func asStore[S blob.Store](s S, err error) (blob.Store, error) {
	if err != nil {
		return nil, err
	}
	return s, nil
}

// outside returns an error if a file lies in a folder.
func outside(file, folder string) error {
	f, err := filepath.Abs(file)
	if err != nil {
		return err
	}
	d, err := filepath.Abs(folder)
	if err != nil {
		return err
	}
	if real, err := filepath.EvalSymlinks(filepath.Dir(f)); err == nil {
		f = filepath.Join(real, filepath.Base(f))
	}
	if real, err := filepath.EvalSymlinks(d); err == nil {
		d = real
	}
	if within, err := filepath.Rel(d, f); err == nil && within != ".." && !strings.HasPrefix(within, ".."+string(filepath.Separator)) {
		return fmt.Errorf("the operator's key %s lies in the data folder: who copies the data would have both", file)
	}
	return nil
}

// Close disconnects.
func (s *Service) Close() {
	s.end()
	if s.nc != nil {
		s.nc.Close()
	}
	if s.server != nil {
		s.server.Close()
	}
	if s.blobs != nil {
		s.blobs.Close()
	}
}

// NATSURL is where workers reach the queue: Config.NATS, or the NATS of this program if it is
// shared. It may have a password.
func (s *Service) NATSURL() string {
	if s.server == nil {
		return s.NATS
	}
	return s.server.URL()
}

// Keys returns the API keys.
func (s *Service) Keys() *access.Keys { return s.keys }

// Tenants returns what is kept of tenants beside their keys.
func (s *Service) Tenants() *access.Tenants { return s.tenants }

// Handler returns what answers HTTP requests.
func (s *Service) Handler() http.Handler {
	c := api.Config{
		Queue: s.queue, Models: s.models, Blobs: s.blobs, Operator: s.operator, Keys: s.keys,
		Tenants: s.tenants, Roster: s.roster, InsecureWebhooks: s.InsecureWebhooks,
		AllowDevelopment: s.AllowDevelopment, Limits: s.Limits, Log: s.Log, Tracer: s.Tracer,
	}
	if s.NoAuth {
		c.Keys = nil
	}
	mux := http.NewServeMux()
	programs := api.New(c)
	mux.Handle("/", programs)
	(&page.Page{API: programs, Log: s.Log, Now: s.queue.Now}).Register(mux)
	return hurry(mux, s.Limits.Patience.Body)
}

// hurry gives the body of each request its time, whatever becomes of the request: what no
// handler reads of it, the server does.
func hurry(h http.Handler, patience time.Duration) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Body != http.NoBody {
			http.NewResponseController(w).SetReadDeadline(time.Now().Add(patience)) // handlers may set another
		}
		h.ServeHTTP(w, r)
	})
}

// Limits of connections.
const (
	drainTimeout = 5 * time.Second
	maxHeader    = 32 << 10
)

// Serve answers requests until ctx ends, and keeps house. With NoAuth the listener has to
// be on a loopback address.
func (s *Service) Serve(ctx context.Context, l net.Listener) error {
	if host, ok := l.Addr().(*net.TCPAddr); s.NoAuth && (!ok || !host.IP.IsLoopback()) {
		return errors.New("without api keys the service has to listen on a loopback address, such as 127.0.0.1:8080")
	}
	patience := s.Limits.Patience
	server := &http.Server{
		Handler: s.Handler(), ReadHeaderTimeout: patience.Header, IdleTimeout: patience.Idle, MaxHeaderBytes: maxHeader,
		// Answers that take longer, events and files, set deadlines of their own.
		WriteTimeout: patience.Upload + patience.Stall,
		ErrorLog:     slog.NewLogLogger(s.Log.Handler(), slog.LevelWarn),
	}
	house, stop := context.WithCancel(ctx)
	defer stop()
	go s.keepHouse(house)
	var hooks sync.WaitGroup
	hooks.Go(func() { s.deliverWebhooks(house, s.webhooks) })
	defer func() { stop(); hooks.Wait() }()
	done := make(chan struct{})
	context.AfterFunc(ctx, func() {
		defer close(done)
		drain, cancel := context.WithTimeout(context.Background(), drainTimeout)
		defer cancel()
		if server.Shutdown(drain) != nil {
			server.Close() // followers of events stay as long as they may
		}
	})
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve: %w", err)
	}
	<-done
	return nil
}

// Work does jobs until ctx ends, and then ends the one at work within the grace.
func (s *Service) Work(ctx context.Context, name string) error {
	return work.New(work.Config{
		Name: name, Queue: s.queue, Models: s.models, Blobs: s.blobs, Operator: s.operator, SRS: s.SRS,
		Roster: s.roster, Device: s.Device, Running: s.running, Largest: s.largest,
		AllowDevelopment: s.AllowDevelopment, Memory: s.Memory, Prover: s.Prover, Grace: s.Grace, Log: s.Log.With("worker", name), Tracer: s.Tracer,
	}).Run(ctx)
}

// Vanished gives the jobs back that a worker had, which is known to have ended. It looks for
// them several times, because a job that was claimed a moment before may not be known yet.
func (s *Service) Vanished(ctx context.Context, name string) {
	for _, wait := range []time.Duration{0, time.Second, 5 * time.Second} {
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		if err := s.queue.Vanished(ctx, name); err != nil && ctx.Err() == nil {
			s.Log.Warn("take the jobs of a worker that ended", "worker", name, "error", err.Error())
		}
	}
}
