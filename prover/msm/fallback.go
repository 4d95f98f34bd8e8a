package msm

import (
	"context"
	"runtime"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// fallback computes Σ scalars[i]·points[i] by gnark-crypto's method.
func (b *Bases) fallback(ctx context.Context, scalars []fr.Element) (sum bn254.G1Affine, err error) {
	var total bn254.G1Jac
	infinity(&total)
	config := ecc.MultiExpConfig{NbTasks: min(b.workers, 1024)}
	for from := 0; from < len(scalars); from += b.theirTerms {
		if err := ctx.Err(); err != nil {
			return sum, err
		}
		to := min(from+b.theirTerms, len(scalars))
		// Its digits and buckets, 36 MB for 2^17 terms, are garbage afterwards: those of
		// a proof's ten columns would be as much memory as all else.
		if 2*(to-from) > b.theirTerms {
			runtime.GC()
		}
		var part bn254.G1Jac
		if _, err := part.MultiExp(b.points[from:to], scalars[from:to], config); err != nil {
			return sum, err
		}
		total.AddAssign(&part)
	}
	sum.FromJacobian(&total)
	return sum, ctx.Err()
}

// better says whether gnark-crypto's method is the better one for the column without
// vector instructions: it is by a tenth if the scalars are long. If one in eight is
// short, negative ones included, its buckets and windows are the worse ones.
func (c *column) better(scalars []fr.Element) bool { return 8*c.full > 7*len(scalars) }
