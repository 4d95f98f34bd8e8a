package work

import (
	"errors"
	"slices"
	"testing"
)

// TestHot keeps models while they fit, and closes none that is in use.
func TestHot(t *testing.T) {
	h := newHot(10)
	loads := map[string]int{}
	var closed []string
	get := func(name string, memory int64) *prepared {
		t.Helper()
		p, err := h.get(name, "", func() (*prepared, error) {
			loads[name]++
			return &prepared{close: func() { closed = append(closed, name) }, memory: memory}, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	has := func(want ...string) {
		t.Helper()
		if h.recent.Len() != len(want) || len(h.byName) != len(want) {
			t.Errorf("%d models are kept, want %v", h.recent.Len(), want)
		}
		for _, name := range want {
			if h.byName[name] == nil {
				t.Errorf("%s isn't kept", name)
			}
		}
	}
	a := get("a", 4)
	again := get("a", 4)
	if again != a || loads["a"] != 1 || a.users != 2 {
		t.Errorf("%d loads, %d users", loads["a"], a.users)
	}
	b := get("b", 4)
	has("a", "b")
	c := get("c", 4) // a is the oldest, and in use
	has("b", "c")
	if !a.gone || a.users != 2 {
		t.Error("a was to be evicted and to stay usable")
	}
	h.put(a)
	if len(closed) != 0 {
		t.Errorf("%v closed while in use", closed)
	}
	h.put(a)
	h.put(b)
	h.put(c)
	if !slices.Equal(closed, []string{"a"}) {
		t.Errorf("closed %v, want a", closed)
	}
	if h.used != 8 {
		t.Errorf("%d are used", h.used)
	}
	if _, err := h.get("d", "", func() (*prepared, error) { return nil, errors.New("no") }); err == nil {
		t.Error("a load that failed gave a model")
	}
	has("b", "c")
	h.put(get("large", 11)) // fits alone, and not for longer than it is used
	has()
	if !slices.Equal(closed, []string{"a", "b", "c", "large"}) || h.used != 0 {
		t.Errorf("closed %v, %d are used", closed, h.used)
	}
	h.put(get("b", 4))
	h.close()
	has()
	if loads["b"] != 2 || len(closed) != 5 {
		t.Errorf("%d loads of b, closed %v", loads["b"], closed)
	}
}

// TestHotMade loads a model anew that was made again under its name, and forgets those that
// are gone; who uses one meanwhile keeps it.
func TestHotMade(t *testing.T) {
	h := newHot(10)
	var closed []string
	get := func(name, made string) *prepared {
		t.Helper()
		p, err := h.get(name, made, func() (*prepared, error) {
			return &prepared{close: func() { closed = append(closed, name+made) }, memory: 1}, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	old := get("a", "1")
	if again := get("a", "1"); again != old {
		t.Error("the same model was loaded twice")
	}
	h.put(old)
	fresh := get("a", "2")
	if fresh == old || len(closed) != 0 || !h.has("a") {
		t.Errorf("the old model is used for the new one, or closed in use: %v", closed)
	}
	h.put(old)
	h.put(fresh)
	h.put(get("b", "1"))
	h.sift(func(name, made string) bool { return name+made == "b1" })
	if !slices.Equal(closed, []string{"a1", "a2"}) || !slices.Equal(h.names(), []string{"b"}) || h.used != 1 {
		t.Errorf("closed %v, kept %v of %d bytes", closed, h.names(), h.used)
	}
}

// TestMade tells models of one name apart by their keys and by when they were made.
func TestMade(t *testing.T) {
	m := &Model{VerifyingKey: Source{Public: "a"}}
	otherKey, later := *m, *m
	otherKey.VerifyingKey.Public, later.Created = "b", m.Created.Add(1)
	if same := *m; m.made() != same.made() || m.made() == otherKey.made() || m.made() == later.made() {
		t.Errorf("%q, %q, %q", m.made(), otherKey.made(), later.made())
	}
}
