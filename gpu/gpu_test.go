package gpu

import "testing"

// TestParseChoice reads what --device may be.
func TestParseChoice(t *testing.T) {
	tests := map[string]struct {
		want Choice
		ok   bool
	}{
		"auto":     {Choice{Auto: true}, true},
		"cpu":      {Choice{CPU: true}, true},
		"cuda":     {Choice{}, true},
		"cuda:0":   {Choice{}, true},
		"cuda:13":  {Choice{Card: 13}, true},
		"cuda:":    {},
		"cuda:-1":  {},
		"cuda:256": {},
		"cuda:1x":  {},
		"CPU":      {},
		"":         {},
	}
	for s, test := range tests {
		got, err := ParseChoice(s)
		if got != test.want || (err == nil) != test.ok {
			t.Errorf("%q is %+v, %v", s, got, err)
		}
	}
}

// TestSelectCPU wants no card.
func TestSelectCPU(t *testing.T) {
	if card, why, err := Select(Choice{CPU: true}); card != nil || why != nil || err != nil {
		t.Errorf("cpu: %v, %v, %v", card, why, err)
	}
}
