package queue

import "time"

// Unfinished returns how many of a tenant's jobs haven't ended, as it was a moment ago.
func (q *Queue) Unfinished(tenant string) int { return q.index.open(tenant) }

// Since returns how many jobs of a tenant were accepted after a time, of those whose records
// are kept, and when the first of them was.
func (q *Queue) Since(tenant string, after time.Time) (n int, oldest time.Time) {
	q.index.mu.RLock()
	defer q.index.mu.RUnlock()
	for _, e := range q.index.records {
		if e.Tenant == tenant && e.Created.After(after) {
			if n++; oldest.IsZero() || e.Created.Before(oldest) {
				oldest = e.Created
			}
		}
	}
	return n, oldest
}
