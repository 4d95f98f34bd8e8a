package queue_test

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/zkml-go/zkml/service/job"
	"github.com/zkml-go/zkml/service/queue"
)

// cluster runs three NATS servers and returns a connection to one of them.
func cluster(t *testing.T) *nats.Conn {
	t.Helper()
	var routes []*url.URL
	var ports []int
	for range 3 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
		routes = append(routes, &url.URL{Scheme: "nats-route", Host: l.Addr().String()})
		l.Close()
	}
	dir := t.TempDir()
	var servers []*server.Server
	for i, port := range ports {
		ns, err := server.NewServer(&server.Options{
			ServerName: fmt.Sprint("n", i), Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: filepath.Join(dir, fmt.Sprint(i)),
			NoSigs: true, NoLog: true, Cluster: server.ClusterOpts{Name: "test", Host: "127.0.0.1", Port: port}, Routes: routes,
		})
		if err != nil {
			t.Fatal(err)
		}
		ns.Start()
		t.Cleanup(func() { ns.Shutdown(); ns.WaitForShutdown() })
		servers = append(servers, ns)
	}
	for range 300 {
		current, led := 0, false
		for _, ns := range servers {
			if ns.JetStreamIsCurrent() {
				current++
			}
			led = led || ns.JetStreamIsLeader() && len(ns.JetStreamClusterPeers()) == len(servers)
		}
		if led && current == len(servers) {
			nc, err := nats.Connect(servers[0].ClientURL())
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(nc.Close)
			return nc
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatal("the cluster has no leader")
	return nil
}

// TestReplicas has a program that isn't told of replicas leave them as they are, and one that
// was there before go on when others change them.
func TestReplicas(t *testing.T) {
	nc := cluster(t)
	ctx := t.Context()
	var before *queue.Queue
	r := job.Record{ID: job.NewID(), Tenant: "a", Kind: job.Proof, Priority: job.Normal, Spec: []byte("{}")}
	for _, c := range []struct {
		wanted, want int
		lonely       bool
		err          error
	}{{5, 0, false, queue.ErrReplicas}, {0, 1, true, nil}, {3, 3, false, nil}, {0, 3, false, nil}, {1, 1, true, nil}} {
		o := queue.DefaultOptions()
		o.Replicas = c.wanted
		q, err := queue.Open(ctx, nc, o)
		for begin := time.Now(); err != nil && c.err == nil && time.Since(begin) < time.Minute; {
			q, err = queue.Open(ctx, nc, o) // what has moved may have no leader for some seconds
		}
		if !errors.Is(err, c.err) {
			t.Fatalf("%d: %v, want %v", c.wanted, err, c.err)
		}
		if err != nil {
			continue
		}
		if q.Lonely() != c.lonely || q.Options().Replicas != c.want {
			t.Errorf("%d: lonely %v, %d replicas", c.wanted, q.Lonely(), q.Options().Replicas)
		}
		if before == nil {
			before = q
			if _, err := q.Submit(ctx, r); err != nil {
				t.Fatal(err)
			}
		}
		got, err := before.Get(ctx, "a", r.ID)
		for begin := time.Now(); err != nil && time.Since(begin) < time.Minute; {
			got, err = before.Get(ctx, "a", r.ID)
		}
		if err != nil || got.State != job.Queued {
			t.Errorf("with %d replicas, to one from before: %s, %v", c.want, got.State, err)
		}
		for _, name := range []string{"ZKML_JOBS", "KV_zkml_jobs"} {
			stream, err := q.JetStream().Stream(ctx, name)
			if err != nil || stream.CachedInfo().Config.Replicas != c.want {
				t.Errorf("%d: %s has %d replicas, want %d; %v", c.wanted, name, stream.CachedInfo().Config.Replicas, c.want, err)
			}
		}
	}
	f := start(t, nil)
	o := queue.DefaultOptions()
	o.Replicas = 3
	if _, err := queue.Open(ctx, f.nc, o); !errors.Is(err, queue.ErrNoCluster) {
		t.Errorf("three replicas on one server: %v", err)
	}
}
