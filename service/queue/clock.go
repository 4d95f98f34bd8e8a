package queue

import (
	"context"
	"fmt"
	"time"
)

// measureEvery is how often a program compares its clock with that of NATS.
const measureEvery = 10 * time.Second

// Now is the time by the clock of NATS, as well as it is known here. A program whose own clock
// is wrong, or jumps, then neither ends jobs before their deadline nor dates a result so that
// it is taken for an old one.
func (q *Queue) Now() time.Time { return q.o.Now().Add(time.Duration(q.offset.Load())) }

// measure compares the clock with that of NATS, and returns the sequence number of the last
// change of a record.
func (q *Queue) measure(ctx context.Context) (last uint64, err error) {
	begin := time.Now()
	stream, err := q.js.Stream(ctx, "KV_"+recordBucket)
	if err != nil {
		return 0, fmt.Errorf("read the clock of nats: %w", err)
	}
	half := time.Since(begin) / 2
	info := stream.CachedInfo()
	if info.TimeStamp.IsZero() {
		return 0, fmt.Errorf("nats doesn't tell its time")
	}
	q.offset.Store(int64(info.TimeStamp.Add(half).Sub(q.o.Now().Round(0))))
	q.measured.Store(time.Now().UnixNano())
	return info.State.LastSeq, nil
}

// remeasure measures again after a while.
func (q *Queue) remeasure(ctx context.Context) {
	if time.Since(time.Unix(0, q.measured.Load())) > measureEvery {
		q.measure(ctx) // without an answer the last one holds
	}
}
