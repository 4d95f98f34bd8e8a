package work

import (
	"container/list"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/zkml-go/zkml"
)

// prepared is a model that is ready to be proven.
type prepared struct {
	name   string
	made   string // which of those that the name has had
	model  *zkml.Model
	prover *zkml.Prover
	close  func()
	memory int64
	users  int
	gone   bool // evicted: the last user closes it
}

// hot keeps the models that were proven lately, as many as fit into the memory.
type hot struct {
	mu     sync.Mutex
	limit  int64
	used   int64
	recent *list.List // of *prepared, the latest first
	byName map[string]*list.Element
	// listed are the names of those that are there, the latest first, for who can't wait
	// until one is loaded.
	listed atomic.Pointer[[]string]
}

func newHot(limit int64) *hot {
	return &hot{limit: limit, recent: list.New(), byName: map[string]*list.Element{}}
}

// get returns the model of a name as it was made last, which is loaded if it isn't there. It
// must be put back.
func (h *hot) get(name, made string, load func() (*prepared, error)) (*prepared, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	e, ok := h.byName[name]
	if ok && e.Value.(*prepared).made != made {
		h.evict(e)
		ok = false
	}
	if ok {
		h.recent.MoveToFront(e)
		h.list()
		p := e.Value.(*prepared)
		p.users++
		return p, nil
	}
	p, err := load()
	if err != nil {
		return nil, err
	}
	p.name, p.made, p.users = name, made, 1
	h.byName[name] = h.recent.PushFront(p)
	h.used += p.memory
	for h.used > h.limit && h.recent.Len() > 1 {
		h.evict(h.recent.Back())
	}
	h.list()
	return p, nil
}

// put gives a model back.
func (h *hot) put(p *prepared) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if p.users--; p.users > 0 {
		return
	}
	if p.gone {
		p.close()
	} else if p.memory > h.limit {
		h.evict(h.byName[p.name])
	}
}

// evict forgets a model.
func (h *hot) evict(e *list.Element) {
	p := h.recent.Remove(e).(*prepared)
	delete(h.byName, p.name)
	h.list()
	h.used -= p.memory
	if p.gone = true; p.users == 0 {
		p.close()
	}
}

// sift forgets the models that keep doesn't want, and holds no lock while it asks.
func (h *hot) sift(keep func(name, made string) bool) {
	type one struct{ name, made string }
	var all []one
	h.mu.Lock()
	for name, e := range h.byName {
		all = append(all, one{name, e.Value.(*prepared).made})
	}
	h.mu.Unlock()
	for _, o := range all {
		if keep(o.name, o.made) {
			continue
		}
		h.mu.Lock()
		if e, ok := h.byName[o.name]; ok && e.Value.(*prepared).made == o.made {
			h.evict(e)
		}
		h.mu.Unlock()
	}
}

// list notes the names of those that are there.
func (h *hot) list() {
	names := []string{}
	for e := h.recent.Front(); e != nil && len(names) < maxListed; e = e.Next() {
		names = append(names, e.Value.(*prepared).name)
	}
	h.listed.Store(&names)
}

// names returns the models that are there, the latest first.
func (h *hot) names() []string {
	if names := h.listed.Load(); names != nil {
		return *names
	}
	return []string{}
}

// has reports whether a model is there.
func (h *hot) has(name string) bool { return slices.Contains(h.names(), name) }

// close forgets all.
func (h *hot) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for h.recent.Len() > 0 {
		h.evict(h.recent.Back())
	}
}
