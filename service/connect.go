package service

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/zkml-go/zkml/service/embedded"
	"github.com/zkml-go/zkml/service/queue"
	"github.com/zkml-go/zkml/service/work"
)

const (
	// patience is how long a program that begins waits for a cluster without a leader.
	patience = time.Minute
	// probeEvery is how often a program asks whether its NATS server answers for the
	// cluster, and how long it waits for that; after so many probes it goes to another one.
	probeEvery  = 2 * time.Second
	failedProbe = 3
)

// CheckNATS returns an error if a URL of Config.NATS, or one of several between commas, is none.
// Unlike the parser's own the error has nothing of the URL, which may have a password.
func CheckNATS(urls string) error {
	n := 0
	for text := range strings.SplitSeq(urls, ",") {
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		n++
		if !strings.Contains(text, "://") {
			text = "nats://" + text
		}
		if u, err := url.Parse(text); err != nil || u.Host == "" {
			return fmt.Errorf("url %d of nats: want nats://user:password@host:port, and of the password all but letters and digits as %%XX", n)
		}
	}
	return nil
}

// connect opens the connection to NATS, which is made again whenever it is lost.
func (s *Service) connect(ctx context.Context) (err error) {
	options := []nats.Option{
		nats.Name("zkml"), nats.MaxReconnects(-1), nats.ReconnectWait(250 * time.Millisecond),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil {
				s.Log.Warn("the connection to nats was lost", "error", err.Error())
			}
		}),
		nats.ReconnectHandler(func(nc *nats.Conn) { s.Log.Info("connected to nats again", "server", nc.ConnectedServerName()) }),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { s.Log.Debug("nats", "error", err.Error()) }),
	}
	if s.NATS == "" {
		start := embedded.Start
		if s.Share {
			start = embedded.StartShared
		}
		if s.server, err = start(filepath.Join(s.Data, "nats")); err != nil {
			return err
		}
		s.nc, err = s.server.Connect(options...)
		return err
	}
	if err := CheckNATS(s.NATS); err != nil {
		return err
	}
	err = s.insist(ctx, func() (err error) {
		s.nc, err = nats.Connect(s.NATS, options...)
		return err
	})
	if err != nil {
		return fmt.Errorf("connect to nats: %w", err)
	}
	go s.probe(ctx)
	return nil
}

// openRecords opens what lies in NATS.
func (s *Service) openRecords(ctx context.Context) error {
	for _, open := range []func() error{
		func() (err error) {
			s.queue, err = queue.Open(ctx, s.nc, s.Queue)
			if err == nil && s.queue.Lonely() {
				s.Log.Warn("everything lies on one server of the nats cluster: if that is lost, so are accepted jobs; give --replicas 3")
			}
			return err
		},
		func() (err error) {
			s.models, err = work.OpenModels(ctx, s.queue)
			return err
		},
		func() error { return s.openTenants(ctx) },
		func() (err error) {
			s.roster, err = work.OpenRoster(ctx, s.queue)
			return err
		},
	} {
		if err := s.insist(ctx, open); err != nil {
			return err
		}
	}
	return nil
}

// insist does what a cluster may refuse while it has no leader until it succeeds, for as long
// as patience lasts.
func (s *Service) insist(ctx context.Context, do func() error) error {
	if s.NATS == "" {
		return do()
	}
	var err error
	for begin := time.Now(); ; {
		if err = do(); err == nil || errors.Is(err, queue.ErrNoCluster) || time.Since(begin) > patience {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(probeEvery):
		}
	}
}

// probe leaves a NATS server that doesn't answer for the cluster, as one that is cut off from
// the others: the connection to it is as good as ever.
func (s *Service) probe(ctx context.Context) {
	tick := time.NewTicker(probeEvery)
	defer tick.Stop()
	failed := 0
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if !s.nc.IsConnected() {
			failed = 0
			continue
		}
		if failed++; s.answers(ctx) {
			failed = 0
		}
		if failed >= failedProbe && len(s.nc.Servers()) > 1 {
			failed = 0
			s.Log.Warn("nats doesn't answer for its cluster: trying another server", "server", s.nc.ConnectedServerName())
			s.nc.ForceReconnect()
		}
	}
}

// answers reports whether the NATS server reaches who leads the cluster.
func (s *Service) answers(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, probeEvery)
	defer cancel()
	_, err := s.nc.RequestWithContext(ctx, "$JS.API.INFO", nil)
	return err == nil
}
