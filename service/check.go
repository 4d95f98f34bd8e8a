package service

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/zkml-go/zkml/prover/srs"
	"github.com/zkml-go/zkml/service/blob"
	"github.com/zkml-go/zkml/service/seal"
)

// Finding is what a check found out about a part of the service.
type Finding struct {
	Part string
	// Text says what is there, or what is wrong.
	Text string
	// Wrong is set if the service wouldn't do its work like this.
	Wrong bool
}

// checkTime bounds the check of one part.
const checkTime = 20 * time.Second

// Check tries every part of the service: that files can be stored, read and deleted, that
// NATS keeps records as often as it should, that someone may use the service, and that
// there is a string to make keys with. Open has connected them.
func (s *Service) Check(ctx context.Context) []Finding {
	var all []Finding
	for _, part := range []struct {
		name string
		try  func(context.Context) (string, error)
	}{
		{"operator's key", func(context.Context) (string, error) { return s.OperatorKey, nil }},
		{"files", s.checkBlobs}, {"nats", s.checkNATS}, {"api keys", s.checkKeys}, {"srs", s.checkSRS},
	} {
		ctx, cancel := context.WithTimeout(ctx, checkTime)
		text, err := part.try(ctx)
		cancel()
		if err != nil {
			text = err.Error()
		}
		all = append(all, Finding{part.name, text, err != nil})
	}
	return all
}

// checkBlobs stores a blob, reads it and deletes it.
func (s *Service) checkBlobs(ctx context.Context) (string, error) {
	data := make([]byte, 1<<16)
	rand.Read(data)
	key, name := seal.NewKey(), blob.PrivateName("check")
	if err := blob.PutPrivate(ctx, s.blobs, name, key, bytes.NewReader(data)); err != nil {
		return "", err
	}
	src, err := blob.OpenPrivate(ctx, s.blobs, name, key)
	if err == nil {
		var got []byte
		got, err = io.ReadAll(src)
		err = errors.Join(err, src.Close())
		if err == nil && !bytes.Equal(got, data) {
			err = errors.New("what was read isn't what was stored")
		}
	}
	where := s.Blobs
	if where == "" {
		where = s.Data
	}
	return where + ": stored, read and deleted a file", errors.Join(err, s.blobs.Delete(ctx, name))
}

// checkNATS looks whether every stream has its replicas.
func (s *Service) checkNATS(ctx context.Context) (string, error) {
	streams := s.queue.JetStream().ListStreams(ctx)
	var err error
	count := 0
	for info := range streams.Info() {
		count++
		there := 1
		if info.Cluster != nil {
			for _, peer := range info.Cluster.Replicas {
				if peer.Current && !peer.Offline {
					there++
				}
			}
		}
		if there < info.Config.Replicas {
			err = errors.Join(err, fmt.Errorf("%s: %d of %d replicas are up to date", info.Config.Name, there, info.Config.Replicas))
		}
	}
	where := "embedded"
	if s.NATS != "" {
		where = s.nc.ConnectedServerName() + ", version " + s.nc.ConnectedServerVersion()
	}
	return fmt.Sprintf("%s: %d streams, replicas: %d", where, count, s.queue.Options().Replicas), errors.Join(err, streams.Err())
}

// checkKeys counts the keys that are valid.
func (s *Service) checkKeys(ctx context.Context) (string, error) {
	if s.NoAuth {
		return "none wanted: programs of this machine are served", nil
	}
	keys, err := s.keys.List(ctx)
	if err != nil {
		return "", err
	}
	valid := 0
	for _, k := range keys {
		if !k.Revoked && (k.Expires.IsZero() || k.Expires.After(s.queue.Now())) {
			valid++
		}
	}
	if valid == 0 {
		return "", errors.New("there is none: nobody can use the service; zkml serve keys create makes one")
	}
	return fmt.Sprintf("%d valid", valid), nil
}

// checkSRS looks for a string that keys can be made with.
func (s *Service) checkSRS(context.Context) (string, error) {
	if s.AllowDevelopment {
		return "the development string is allowed: anyone can forge proofs", nil
	}
	entries, err := s.SRS.List()
	if err != nil {
		return "", err
	}
	log, name := 0, ""
	for _, e := range entries {
		if e.Err == nil && !e.Development() && e.Log >= log {
			log, name = e.Log, srs.CeremonyName(e.ID)
		}
	}
	switch {
	case log == 0:
		return "", fmt.Errorf("there is none in %s: models can't be built here; zkml srs import FILE takes one from a ceremony", s.SRS.Folder())
	case name == "":
		name = "of a ceremony that this program doesn't know"
	}
	return fmt.Sprintf("%s: up to 2^%d rows, %s", s.SRS.Folder(), log, name), nil
}
