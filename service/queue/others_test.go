package queue_test

import (
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/zkml-go/zkml/service/job"
	"github.com/zkml-go/zkml/service/queue"
)

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
		"vanished": func(f *fixture, r job.Record) error { return f.q.Vanished(f.ctx, "middle") },
	} {
		t.Run(name, func(t *testing.T) {
			f := start(t, nil)
			first := f.submit("a", nil)
			middle := f.submit("a", func(r *job.Record) {
				if name == "expired" {
					r.Deadline = r.Created.Add(takeover / 2)
				}
			})
			last := f.submit("a", nil)
			taken := f.take(f.taker("first"), soon)
			f.take(f.taker("middle"), soon)
			ending := f.take(f.taker("last"), soon)
			if taken.Record().ID != first.ID || ending.Record().ID != last.ID {
				t.Fatal("the jobs came in another order")
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
	f := start(t, nil)
	stream, err := f.q.JetStream().Stream(f.ctx, "ZKML_JOBS")
	if err != nil {
		t.Fatal(err)
	}
	lost, purged, last, good := f.submit("a", nil), f.submit("a", nil), f.submit("a", nil), f.submit("a", nil)
	var leases []*queue.Lease
	for _, name := range []string{"1", "2", "3"} {
		leases = append(leases, f.take(f.taker(name), soon))
	}
	if leases[2].Record().ID != last.ID {
		t.Fatal("the jobs came in another order")
	}
	if err := stream.Purge(f.ctx, jetstream.WithPurgeSubject("zkml.job.normal.a."+purged.ID)); err != nil {
		t.Fatal(err)
	}
	if err := leases[2].Succeed(f.ctx, "", []byte("1")); err != nil {
		t.Fatal(err)
	}
	leases[0].Abandon()
	leases[1].Abandon()
	time.Sleep(2 * takeover) // until JetStream has looked at what it waits for
	goodAt := sequence(t, f, stream, good)
	lostAt := sequence(t, f, stream, lost)
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
