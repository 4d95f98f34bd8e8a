// Package embedded runs a NATS server with JetStream inside the program, so that one
// binary is a whole prover service. Only this program reaches it, and those that it tells
// the password, which is another one each time, over this machine's loopback.
//
// After a write that failed, as on a full disk, JetStream refuses all further writes to
// that stream until it is started again. So the server here is: as soon as its folder can be
// written to, within some seconds, and its connections are made again by themselves. What
// was acknowledged is still there.
package embedded

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/url"
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
	folder   string
	lock     *os.File
	address  *net.TCPAddr // nil if it isn't shared
	password string
	stop     chan struct{}
	done     chan struct{}

	mu   sync.Mutex
	nats *server.Server
}

// user is who all connections are of.
const user = "zkml"

const (
	// startTime bounds how long the server takes to read its folder.
	startTime = 30 * time.Second
	// checkEvery is how often the server is asked whether it can write.
	checkEvery = time.Second
	// room is what must fit into the folder before the server is started again, in bytes.
	room = 1 << 20
)

// Start runs a server that keeps its data in a folder. What it acknowledges is on the
// disk: every write is synchronous. It listens nowhere.
func Start(folder string) (*Server, error) { return start(folder, false) }

// StartShared is Start, with other programs of this machine let in at Server.URL.
func StartShared(folder string) (*Server, error) { return start(folder, true) }

func start(folder string, share bool) (*Server, error) {
	lock, err := lockFolder(folder)
	if err != nil {
		return nil, err
	}
	s := &Server{folder: folder, lock: lock, password: rand.Text(), stop: make(chan struct{}), done: make(chan struct{})}
	if share {
		s.address = &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: server.RANDOM_PORT}
	}
	if s.nats, err = s.run(); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	if share {
		s.address = s.nats.Addr().(*net.TCPAddr) // where it is again when it is started again
	}
	go s.watch()
	return s, nil
}

// run starts a server.
func (s *Server) run() (*server.Server, error) {
	o := &server.Options{
		ServerName: "zkml", JetStream: true, StoreDir: s.folder, SyncAlways: true,
		DontListen: s.address == nil, Username: user, Password: s.password,
		NoSigs: true, NoLog: true, MaxPayload: 1 << 20,
	}
	if s.address != nil {
		o.Host, o.Port = s.address.IP.String(), s.address.Port
	}
	ns, err := server.NewServer(o)
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
		ns, _ = s.run() // nil is tried again
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
	return nats.Connect("", append(options, nats.InProcessServer(s), nats.UserInfo(user, s.password), nats.MaxReconnects(-1), nats.ReconnectWait(100*time.Millisecond))...)
}

// URL is where other programs reach a server that is shared. It has the password.
func (s *Server) URL() string {
	u := url.URL{Scheme: "nats", User: url.UserPassword(user, s.password), Host: s.address.String()}
	return u.String()
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
