package chaos

import (
	"net"
	"sync"
)

// proxy is a wire between two nodes that can be cut. A cut wire drops nothing and tells
// nobody: connections stay, and what is sent waits, as it does in a network that lost its
// way. It arrives, late, once the wire is healed.
type proxy struct {
	listener net.Listener
	target   string

	mu    sync.Mutex
	whole *sync.Cond
	cut   bool
	ended bool
	conns map[net.Conn]bool
}

// newProxy listens on a port of its own.
func newProxy(target string) (*proxy, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &proxy{listener: l, target: target, conns: map[net.Conn]bool{}}
	p.whole = sync.NewCond(&p.mu)
	go p.accept()
	return p, nil
}

func (p *proxy) address() string { return p.listener.Addr().String() }

// accept connects the two ends until the proxy is closed.
func (p *proxy) accept() {
	for {
		near, err := p.listener.Accept()
		if err != nil {
			return
		}
		go func() {
			defer near.Close()
			if !p.keep(near) || !p.pass() {
				return
			}
			defer p.forget(near)
			far, err := net.Dial("tcp", p.target)
			if err != nil {
				return
			}
			defer far.Close()
			if !p.keep(far) {
				return
			}
			defer p.forget(far)
			done := make(chan struct{}, 2)
			for _, way := range [][2]net.Conn{{near, far}, {far, near}} {
				go func() {
					p.copy(way[0], way[1])
					done <- struct{}{}
				}()
			}
			<-done // the other way ends by the closes
		}()
	}
}

// copy passes bytes on while the wire is whole.
func (p *proxy) copy(from, to net.Conn) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if !p.pass() {
			return
		}
		if n > 0 {
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// pass waits until the wire is whole, and returns false once it has ended.
func (p *proxy) pass() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.cut && !p.ended {
		p.whole.Wait()
	}
	return !p.ended
}

// keep remembers a connection, unless the proxy has ended.
func (p *proxy) keep(c net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended {
		return false
	}
	p.conns[c] = true
	return true
}

func (p *proxy) forget(c net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, c)
}

// set cuts or heals the wire.
func (p *proxy) set(cut bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut = cut
	p.whole.Broadcast()
}

// close ends it.
func (p *proxy) close() {
	p.listener.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended = true
	p.whole.Broadcast()
	for c := range p.conns {
		c.Close()
	}
}
