package access

import "testing"

func TestQuotaText(t *testing.T) {
	for text, want := range map[string]Quota{
		"":                                     {},
		"queued=5":                             {Queued: 5},
		" running=2, per-day=1000,models=0 ":   {Running: 2, PerDay: 1000},
		"stored=10GiB,rows=1000000,memory=100": {Stored: 10 << 30, Rows: 1000000, Memory: 100},
		"stored=3KiB,memory=1536MiB":           {Stored: 3 << 10, Memory: 1536 << 20},
	} {
		q, err := ParseQuota(text)
		if err != nil || q != want {
			t.Errorf("%q: %+v, %v", text, q, err)
		}
		if again, err := ParseQuota(q.String()); err != nil || again != q {
			t.Errorf("%q again as %q: %+v, %v", text, q.String(), again, err)
		}
	}
	for _, wrong := range []string{"queued", "queued=", "queued=-1", "queued=1.5", "queued=99999999999", "stored=-1", "stored=1TiB", "stored=9999999999GiB", "jobs=1", "queued=1,queued=2", "queued=1GiB", "=1"} {
		if q, err := ParseQuota(wrong); err == nil {
			t.Errorf("%q: %+v", wrong, q)
		}
	}
}
