package queue_test

import (
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
func TestOthersStay(t *testing.T) {
	for name, take := range map[string]func(f *fixture, r job.Record) error{
		"cancelled": func(f *fixture, r job.Record) error {
			_, err := f.q.Cancel(f.ctx, r.Tenant, r.ID)
			return err
		},
		"expired": func(f *fixture, r job.Record) error {
			return f.q.Sweep(f.ctx, time.Hour)
		},
		"vanished": func(f *fixture, r job.Record) error {
			now, err := f.q.Get(f.ctx, r.Tenant, r.ID)
			if err != nil {
				return err
			}
			return f.q.Vanished(f.ctx, now.Worker)
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := start(t, patient)
			first := f.submit("a", nil)
			middle := f.submit("a", func(r *job.Record) {
				if name == "expired" {
					r.Deadline = r.Created.Add(3 * time.Second)
				}
			})
			last := f.submit("a", nil)
			leases := f.takeAll("first", "middle", "last")
			taken, ending := leases[first.ID], leases[last.ID]
			if taken == nil || ending == nil {
				t.Fatal("not all the jobs were taken")
			}
			for begin := time.Now(); ; time.Sleep(5 * time.Millisecond) {
				if err := take(f, middle); err != nil {
					t.Fatal(err)
				}
				// The copy of the records may be late.
				if r, err := f.q.Get(f.ctx, "a", middle.ID); err == nil && r.State != job.Running {
					break
				} else if time.Since(begin) > soon {
					t.Fatalf("%+v, %v", r, err)
				}
			}
			if err := ending.Succeed(f.ctx, "", []byte("1")); err != nil {
				t.Fatal(err)
			}
			taken.Abandon()

			w := f.taker("next")
			for {
				l := f.take(w, soon)
				if l == nil {
					t.Fatal("the first job was lost")
				}
				if err := l.Succeed(f.ctx, "", []byte("2")); err != nil {
					t.Fatal(err)
				}
				if l.Record().ID == first.ID {
					break
				}
			}
			f.want(first, job.Succeeded, "2")
		})
	}
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
