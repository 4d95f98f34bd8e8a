// Package embedded runs a NATS server with JetStream inside the program, so that one
// binary is a whole prover service. It listens nowhere: only this program reaches it.
//
// After a write that failed, as on a full disk, JetStream refuses all further writes to
// that stream until it is started again. So the server here is: as soon as its folder can be
// written to, within some seconds, and its connections are made again by themselves. What
// was acknowledged is still there.
package embedded

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"golang.org/x/sys/unix"
)

// ErrBusy is returned for a folder that another program works in.
var ErrBusy = errors.New("the data folder is in use by another program")

// Server is a NATS server in this program.
type Server struct {
	folder string
	lock   *os.File
	stop   chan struct{}
	done   chan struct{}

	mu   sync.Mutex
	nats *server.Server
}

const (
	// startTime bounds how long the server takes to read its folder.
	startTime = 30 * time.Second
	// checkEvery is how often the server is asked whether it can write.
	checkEvery = time.Second
	// room is what must fit into the folder before the server is started again, in bytes.
	room = 1 << 20
)

// Start runs a server that keeps its data in a folder. What it acknowledges is on the
// disk: every write is synchronous.
func Start(folder string) (*Server, error) {
	lock, err := lockFolder(folder)
	if err != nil {
		return nil, err
	}
	s := &Server{folder: folder, lock: lock, stop: make(chan struct{}), done: make(chan struct{})}
	if s.nats, err = run(folder); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	go s.watch()
	return s, nil
}

// run starts a server.
func run(folder string) (*server.Server, error) {
	ns, err := server.NewServer(&server.Options{
		ServerName: "zkml", JetStream: true, StoreDir: folder, SyncAlways: true,
		DontListen: true, NoSigs: true, NoLog: true, MaxPayload: 1 << 20,
	})
	if err != nil {
		return nil, fmt.Errorf("start the embedded nats: %w", err)
	}
	ns.Start()
	if !ns.ReadyForConnections(startTime) {
		ns.Shutdown()
		return nil, fmt.Errorf("start the embedded nats: it isn't ready after %v", startTime)
	}
	return ns, nil
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

// watch starts the server again when it can't write any more but could.
func (s *Server) watch() {
	defer close(s.done)
	tick := time.NewTicker(checkEvery)
	defer tick.Stop()
	for sick := 0; ; {
		select {
		case <-s.stop:
			return
		case <-tick.C:
		}
		s.mu.Lock()
		ns := s.nats
		s.mu.Unlock()
		if ns != nil && ns.Healthz(nil).Status == "ok" {
			sick = 0
			continue
		}
		if sick++; sick < 2 || !s.writable() {
			continue
		}
		if ns != nil {
			ns.Shutdown()
			ns.WaitForShutdown()
		}
		ns, _ = run(s.folder) // nil is tried again
		s.mu.Lock()
		s.nats = ns
		s.mu.Unlock()
		sick = 0
	}
}

// writable tries whether there is room in the folder.
func (s *Server) writable() bool {
	probe := filepath.Join(s.folder, "probe")
	file, err := os.Create(probe)
	if err != nil {
		return false
	}
	_, err = file.Write(make([]byte, room))
	return errors.Join(err, file.Sync(), file.Close(), os.Remove(probe)) == nil
}

// InProcessConn returns a connection to the server that runs now. It implements
// nats.InProcessConnProvider.
func (s *Server) InProcessConn() (net.Conn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.nats == nil {
		return nil, server.ErrServerNotRunning
	}
	return s.nats.InProcessConn()
}

// Connect returns a connection to the server, which is made again whenever it is lost.
func (s *Server) Connect(options ...nats.Option) (*nats.Conn, error) {
	return nats.Connect("", append(options, nats.InProcessServer(s), nats.MaxReconnects(-1), nats.ReconnectWait(100*time.Millisecond))...)
}

// Close stops the server and waits until it has.
func (s *Server) Close() {
	close(s.stop)
	<-s.done
	if s.nats != nil {
		s.nats.Shutdown()
		s.nats.WaitForShutdown()
	}
	s.lock.Close()
}
