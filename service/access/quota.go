package access

import (
	"fmt"
	"strconv"
	"strings"
)

// Quota is what a tenant may have. A zero is no limit beyond the service's own. The counts of
// jobs come from a copy of their records that may be a moment late, and those of bytes from a
// list of a minute ago at most: a tenant that sends many requests at the same moment can get
// a few more than its quota through, and no more than that.
type Quota struct {
	// Queued is how many jobs that haven't ended there may be, Running how many at work.
	Queued  int `json:"queued,omitempty" minimum:"0" doc:"jobs that haven't ended"`
	Running int `json:"running,omitempty" minimum:"0" doc:"jobs at work at a time"`
	// PerDay is how many jobs are accepted in 24 hours.
	PerDay int `json:"per_day,omitempty" minimum:"0" doc:"jobs accepted in 24 hours"`
	// Models is how many models are kept.
	Models int `json:"models,omitempty" minimum:"0" doc:"models that are kept"`
	// Stored is the size of all files, in bytes.
	Stored int64 `json:"stored,omitempty" minimum:"0" doc:"bytes of all files"`
	// Rows is the size of a model's circuit.
	Rows int `json:"rows,omitempty" minimum:"0" doc:"rows of a model's circuit"`
	// Memory is what a job may need, in bytes.
	Memory int64 `json:"memory,omitempty" minimum:"0" doc:"bytes of memory that a job may need"`
}

// fields are the names and values of a quota, as ParseQuota and String have them.
func (q *Quota) fields() []struct {
	name string
	n    *int
	size *int64
} {
	return []struct {
		name string
		n    *int
		size *int64
	}{
		{"queued", &q.Queued, nil}, {"running", &q.Running, nil}, {"per-day", &q.PerDay, nil}, {"models", &q.Models, nil},
		{"stored", nil, &q.Stored}, {"rows", &q.Rows, nil}, {"memory", nil, &q.Memory},
	}
}

// units are what sizes may end in.
var units = []struct {
	suffix string
	bytes  int64
}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"", 1}}

// ParseQuota reads a list such as "queued=100,running=2,stored=10GiB". The names are queued,
// running, per-day, models, rows, stored and memory; the last two are bytes, with KiB, MiB or
// GiB behind them where that is shorter.
func ParseQuota(text string) (q Quota, err error) {
	given := map[string]bool{}
	for part := range strings.SplitSeq(text, ",") {
		if strings.TrimSpace(part) == "" {
			continue
		}
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		found := false
		for _, f := range q.fields() {
			if f.name != name {
				continue
			}
			found = true
			if given[name] {
				return Quota{}, fmt.Errorf("quota: %s is given twice", name)
			}
			if f.n != nil {
				n, err := strconv.ParseInt(value, 10, 32)
				if err != nil || n < 0 {
					return Quota{}, fmt.Errorf("quota: %s=%s: want a number of at least 0", name, value)
				}
				*f.n = int(n)
			} else if *f.size, err = parseSize(value); err != nil {
				return Quota{}, fmt.Errorf("quota: %s=%s: %w", name, value, err)
			}
		}
		if given[name] = true; !found {
			return Quota{}, fmt.Errorf("quota: no limit is called %q: want queued, running, per-day, models, stored, rows or memory", name)
		}
	}
	return q, nil
}

// parseSize reads a number of bytes.
func parseSize(text string) (int64, error) {
	for _, u := range units {
		digits, ok := strings.CutSuffix(text, u.suffix)
		if !ok {
			continue
		}
		n, err := strconv.ParseInt(digits, 10, 64)
		if err != nil || n < 0 || n > (1<<62)/u.bytes {
			break
		}
		return n * u.bytes, nil
	}
	return 0, fmt.Errorf("want bytes, such as 1000000 or 64MiB")
}

// String is the inverse of ParseQuota; "" is no limit.
func (q Quota) String() string {
	var parts []string
	for _, f := range q.fields() {
		switch {
		case f.n != nil && *f.n != 0:
			parts = append(parts, fmt.Sprintf("%s=%d", f.name, *f.n))
		case f.size != nil && *f.size != 0:
			parts = append(parts, f.name+"="+formatSize(*f.size))
		}
	}
	return strings.Join(parts, ",")
}

// formatSize writes bytes in the largest unit that divides them.
func formatSize(n int64) string {
	for _, u := range units {
		if n%u.bytes == 0 {
			return fmt.Sprintf("%d%s", n/u.bytes, u.suffix)
		}
	}
	return ""
}
