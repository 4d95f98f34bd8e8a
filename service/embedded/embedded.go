// Package embedded runs a NATS server with JetStream inside the program, so that one
// binary is a whole prover service. It listens nowhere: only this program reaches it.
package embedded

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"golang.org/x/sys/unix"
)

// ErrBusy is returned for a folder that another program works in.
var ErrBusy = errors.New("the data folder is in use by another program")

// Server is a NATS server in this program.
type Server struct {
	nats *server.Server
	lock *os.File
}

// Start runs a server that keeps its data in a folder. What it acknowledges is on the
// disk: every write is synchronous.
func Start(folder string) (*Server, error) {
	lock, err := lockFolder(folder)
	if err != nil {
		return nil, err
	}
	ns, err := server.NewServer(&server.Options{
		ServerName: "zkml", JetStream: true, StoreDir: folder, SyncAlways: true,
		DontListen: true, NoSigs: true, NoLog: true, MaxPayload: 1 << 20,
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start the embedded nats: %w", err), lock.Close())
	}
	ns.Start()
	if !ns.ReadyForConnections(30 * time.Second) {
		ns.Shutdown()
		return nil, errors.Join(errors.New("start the embedded nats: it isn't ready after 30 s"), lock.Close())
	}
	return &Server{ns, lock}, nil
}

// lockFolder makes sure that no other program works in a folder. The lock goes with the
// program.
func lockFolder(folder string) (*os.File, error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("start the embedded nats: %w", err)
	}
	lock, err := os.OpenFile(filepath.Join(folder, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("start the embedded nats: %w", err)
	}
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", folder, ErrBusy), lock.Close())
	}
	return lock, nil
}

// Connect returns a connection to the server.
func (s *Server) Connect() (*nats.Conn, error) {
	return nats.Connect("", nats.InProcessServer(s.nats))
}

// Close stops the server and waits until it has.
func (s *Server) Close() {
	s.nats.Shutdown()
	s.nats.WaitForShutdown()
	s.lock.Close()
}
