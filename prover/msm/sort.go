package msm

// prepare sorts the digits of c's scalars from..to in the windows of a pass: the
// entries of digit ±d go to bucket d. Entries of the j-th copy point to base
// j·size + index.
func (a *adder) prepare(c *column, pass []window, size, from, to int) sorted {
	width := 0
	for _, w := range pass {
		width = max(width, w.width)
	}
	start := resize(&a.sort.start, 1<<(width-1)+3)
	clear(start)
	n := to - from
	digits := resize(&a.digit, n*len(pass))
	total := 0
	for k, w := range pass {
		digits := digits[k*n : (k+1)*n]
		for i := range digits {
			d := w.digit(&c.value[from+i])
			digits[i] = d
			sign := d >> 31
			if b := (d ^ sign) - sign; b != 0 {
				start[b+2]++
				total++
			}
		}
	}
	// start[b+1] becomes where bucket b's entries begin, then, as they are written,
	// where the next one goes: at the end it is where bucket b+1's begin.
	for b := 3; b < len(start); b++ {
		start[b] += start[b-1]
	}
	entries := resize(&a.sort.entries, total)
	for k := range pass {
		base := uint32(k * size)
		for i, d := range digits[k*n : (k+1)*n] {
			if d == 0 {
				continue
			}
			sign := d >> 31
			next := &start[(d^sign)-sign+1]
			entries[*next] = (base+c.index[from+i])<<1 | uint32(sign)&1
			*next++
		}
	}
	clear(digits)
	return sorted{entries, start[:len(start)-1]}
}

// resize returns the first n elements of *s, which grows if it has to. Their values
// are arbitrary.
func resize[T any](s *[]T, n int) []T {
	if cap(*s) < n {
		*s = make([]T, n)
	}
	return (*s)[:n]
}
