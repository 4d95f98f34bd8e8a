package audit

import (
	"math/rand/v2"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// job is one change to try: another value of a wire; what the hint call of the wire
// gives for another value of one of its inputs; or nothing, if wire is none.
type job struct {
	wire  uint32
	input int // of the call, or -1
	value fr.Element
	late  bool // what isn't committed is solved for when the challenge is known
}

// jobs lists all changes of single wires, or sample of each stratum.
func (m *model) jobs(strata []*Stratum, values []fr.Element, sample int, r *rand.Rand) []job {
	var list []job
	for _, s := range strata {
		before := len(list)
		if sample < 0 {
			for _, w := range s.members {
				for _, v := range m.changes(w, values, r) {
					list = append(list, job{wire: w, input: -1, value: v})
				}
			}
		} else {
			var all []job
			for _, k := range r.Perm(len(s.members))[:min(len(s.members), sample)] {
				w := s.members[k]
				for _, v := range m.changes(w, values, r) {
					all = append(all, job{wire: w, input: -1, value: v})
				}
			}
			r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
			s.Sampled = len(s.members) > sample || len(all) > sample
			list = append(list, all[:min(len(all), sample)]...)
		}
		s.Mutations += len(list) - before
	}
	return list
}

// jumps lists, for each input of each hint call, what the call gives for another value
// of the input: ± 1, ± a few more, and that of another honest witness. All outputs of
// a call then fit together, but belong to something else.
func (m *model) jumps(strata []*Stratum, values, other []fr.Element, sample int, r *rand.Rand) []job {
	home := make(map[int32]*Stratum)
	for _, s := range strata {
		for _, w := range s.members {
			if c := m.from[w]; home[c] == nil {
				home[c] = s
			}
		}
	}
	var list []job
	for i := range m.calls {
		c := &m.calls[i]
		if c.input >= 0 || c.table >= 0 || c.ratio || c.name == "challenge" || c.outputs == 0 {
			continue
		}
		var own []job
		for _, k := range r.Perm(len(c.in)) {
			v := m.input(c.in[k], values)
			more := fr.NewElement(2 + r.Uint64N(62))
			one := fr.One()
			for n, d := range []*fr.Element{&one, &more} {
				var up, down fr.Element
				up.Add(&v, d)
				down.Sub(&v, d)
				if own = append(own, job{wire: c.first, input: k, value: up}, job{wire: c.first, input: k, value: down}); n > 0 {
					break
				}
			}
			if w := m.input(c.in[k], other); !w.Equal(&v) {
				own = append(own, job{wire: c.first, input: k, value: w})
			}
			if sample >= 0 && len(own) >= sample/10 {
				break
			}
		}
		if s := home[int32(i)]; s != nil {
			s.Mutations += len(own)
		}
		list = append(list, own...)
	}
	return list
}

// leastLate and lateJobs are how many changes the late attack begins with: of each
// witness, and of all of them.
const leastLate, lateJobs = 40, 800

// lateJobs lists changes to begin the late attack with, and none at all; nothing where
// all that isn't committed follows from what is.
func (m *model) lateJobs(jobs []job, witnesses int, r *rand.Rand) []job {
	if len(m.late) == 0 {
		return nil
	}
	var list []job
	for i := range 8 {
		list = append(list, job{wire: none, input: i, late: true})
	}
	for _, k := range r.Perm(len(jobs))[:min(len(jobs), max(leastLate, lateJobs/witnesses))] {
		j := jobs[k]
		j.late = true
		list = append(list, j)
	}
	return list
}
