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
		p, err := h.get(name, func() (*prepared, error) {
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
	if _, err := h.get("d", func() (*prepared, error) { return nil, errors.New("no") }); err == nil {
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
