package queue_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/zkml-go/zkml/service/job"
	"github.com/zkml-go/zkml/service/queue"
)

// patient gives workers time, so that a job isn't taken over because the machine is slow.
func patient(o *queue.Options) { o.Takeover = 3 * time.Second }

// takeAll has each of some workers take a job, and returns the leases by job.
func (f *fixture) takeAll(workers ...string) map[string]*queue.Lease {
	f.t.Helper()
	leases := map[string]*queue.Lease{}
	for _, name := range workers {
		l := f.take(f.taker(name), soon)
		if l == nil {
			f.t.Fatalf("%s got no job", name)
		}
		leases[l.Record().ID] = l
	}
	return leases
}

// TestOthersStay has jobs of one lane whose messages are all with workers, and takes the one
// in the middle from its worker in each way that there is. Then the last one ends. The first,
// whose worker dies, must still be taken over: nothing of it may have gone with the others.
// So it is on one server, and on three.
func TestOthersStay(t *testing.T) {
	for _, replicas := range []int{1, 3} {
		t.Run(fmt.Sprint(replicas), func(t *testing.T) {
			t.Parallel()
			var f *fixture
			if replicas == 1 {
				f = start(t, patient)
			} else {
				f = &fixture{t: t, nc: cluster(t), o: queue.DefaultOptions(), ctx: t.Context()}
				patient(&f.o)
				f.o.Replicas = replicas
				var err error
				if f.q, err = queue.Open(f.ctx, f.nc, f.o); err != nil {
					t.Fatal(err)
				}
			}
			othersStay(t, f, "cancelled", func(r job.Record) error {
				_, err := f.q.Cancel(f.ctx, r.Tenant, r.ID)
				return err
			})
			othersStay(t, f, "expired", func(job.Record) error { return f.q.Sweep(f.ctx, time.Hour) })
			othersStay(t, f, "vanished", func(r job.Record) error { return f.q.Vanished(f.ctx, r.Worker) })
		})
	}
}

// othersStay does so with the jobs of a tenant, which has the name of the way.
func othersStay(t *testing.T, f *fixture, how string, take func(job.Record) error) {
	t.Helper()
	first := f.submit(how, nil)
	middle := f.submit(how, func(r *job.Record) {
		if how == "expired" {
			r.Deadline = r.Created.Add(3 * time.Second)
		}
	})
	last := f.submit(how, nil)
	leases := f.takeAll(how+" 1", how+" 2", how+" 3")
	taken, ending := leases[first.ID], leases[last.ID]
	if taken == nil || ending == nil {
		t.Fatalf("%s: not all the jobs were taken", how)
	}
	for begin := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		// The copy of the records may be late.
		r, err := f.q.Get(f.ctx, how, middle.ID)
		if err == nil && r.State != job.Running {
			break
		}
		if err == nil {
			err = take(r)
		}
		if err != nil || time.Since(begin) > soon {
			t.Fatalf("%s: %+v, %v", how, r, err)
		}
	}
	if err := ending.Succeed(f.ctx, "", []byte("1")); err != nil {
		t.Fatal(err)
	}
	taken.Abandon()

	w, left := f.taker(how+" 4"), map[string]bool{first.ID: true}
	if how == "vanished" {
		left[middle.ID] = true
	}
	for len(left) > 0 {
		l := f.take(w, soon)
		if l == nil {
			t.Fatalf("%s: lost: %v", how, left)
		}
		if err := l.Succeed(f.ctx, "", []byte("2")); err != nil {
			t.Fatal(err)
		}
		delete(left, l.Record().ID)
	}
	f.want(first, job.Succeeded, "2")
	f.empty()
}

// TestMendLost has JetStream lose a message that it still keeps: a purge does that to those
// before the one that it takes. A sweep sends another, and none for jobs that have a good one.
func TestMendLost(t *testing.T) {
	f := start(t, patient)
	stream, err := f.q.JetStream().Stream(f.ctx, "ZKML_JOBS")
	if err != nil {
		t.Fatal(err)
	}
	lost, purged, last, good := f.submit("a", nil), f.submit("a", nil), f.submit("a", nil), f.submit("a", nil)
	leases := f.takeAll("1", "2", "3")
	if leases[lost.ID] == nil || leases[last.ID] == nil {
		t.Fatal("the jobs came in another order")
	}
	if err := stream.Purge(f.ctx, jetstream.WithPurgeSubject("zkml.job.normal.a."+purged.ID)); err != nil {
		t.Fatal(err)
	}
	if err := leases[last.ID].Succeed(f.ctx, "", []byte("1")); err != nil {
		t.Fatal(err)
	}
	for _, l := range leases {
		l.Abandon()
	}
	goodAt, lostAt := sequence(t, f, stream, good), sequence(t, f, stream, lost)
	consumer, err := stream.Consumer(f.ctx, "normal_a")
	if err != nil {
		t.Fatal(err)
	}
	if consumer.CachedInfo().AckFloor.Stream < lostAt {
		t.Skip("this version of NATS doesn't lose it")
	}
	if err := f.q.Sweep(f.ctx, time.Hour); err != nil {
		t.Fatal(err)
	}
	if now := sequence(t, f, stream, good); now != goodAt {
		t.Errorf("the message %d of a job that waits was replaced by %d", goodAt, now)
	}
	if now := sequence(t, f, stream, lost); now <= lostAt {
		t.Errorf("the message %d that nobody gets is still there", now)
	}
	w, left := f.taker("next"), map[string]bool{lost.ID: true, purged.ID: true, good.ID: true}
	for len(left) > 0 {
		l := f.take(w, soon)
		if l == nil {
			t.Fatalf("lost: %v", left)
		}
		delete(left, l.Record().ID)
		if err := l.Succeed(f.ctx, "", []byte("2")); err != nil {
			t.Fatal(err)
		}
	}
	f.empty()
}

// sequence is the number of a job's message.
func sequence(t *testing.T, f *fixture, s jetstream.Stream, r job.Record) uint64 {
	t.Helper()
	m, err := s.GetLastMsgForSubject(f.ctx, "zkml.job.normal."+r.Tenant+"."+r.ID)
	if err != nil {
		t.Fatal(err)
	}
	return m.Sequence
}
