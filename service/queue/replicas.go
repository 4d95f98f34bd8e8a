package queue

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Errors of replicas.
var (
	// ErrReplicas: the NATS can't keep as many replicas as are wanted.
	ErrReplicas = errors.New("the nats hasn't enough servers for the replicas that are wanted")
	// ErrNoCluster is an ErrReplicas that doesn't pass when other servers begin.
	ErrNoCluster = fmt.Errorf("%w: it is no cluster", ErrReplicas)
)

// Codes that JetStream answers with where it has too few servers.
const (
	errCodeNoPeers   = 10005 // no suitable peers for placement
	errCodeNoCluster = 10074 // replicas > 1 not supported in non-clustered mode
)

// tooFew puts the errors of too few servers into words.
func tooFew(err error) error {
	var api *jetstream.APIError
	if errors.As(err, &api) && (api.ErrorCode == errCodeNoPeers || api.ErrorCode == errCodeNoCluster) {
		return fmt.Errorf("%w, or not all of them run now: %w", ErrReplicas, err)
	}
	return err
}

// settleReplicas returns the number of replicas that is meant: 0 is what the jobs have, so that
// a program that wasn't told doesn't take replicas away, and one where there are no jobs yet.
func settleReplicas(ctx context.Context, nc *nats.Conn, js jetstream.JetStream, wanted int) (int, error) {
	if wanted > 1 && nc.ConnectedClusterName() == "" {
		return 0, fmt.Errorf("%w (%s), and %d are wanted", ErrNoCluster, nc.ConnectedServerName(), wanted)
	}
	if wanted > 0 {
		return wanted, nil
	}
	stream, err := js.Stream(ctx, streamName)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return 1, nil
	}
	if err != nil {
		return 0, err
	}
	return stream.CachedInfo().Config.Replicas, nil
}

// Lonely reports whether everything lies on one server of several.
func (q *Queue) Lonely() bool { return q.o.Replicas == 1 && q.nc.ConnectedClusterName() != "" }
