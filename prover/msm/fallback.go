package msm

import (
	"context"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// fallbackTerms is how many terms gnark-crypto's method, which can't be interrupted,
// gets at once: about a second on one core.
const fallbackTerms = 1 << 17

// fallback computes every column by gnark-crypto's method.
func (b *Bases) fallback(ctx context.Context, columns [][]fr.Element) ([]bn254.G1Affine, error) {
	sums := make([]bn254.G1Affine, len(columns))
	config := ecc.MultiExpConfig{NbTasks: min(b.workers, 1024)}
	for i, scalars := range columns {
		var total bn254.G1Jac
		infinity(&total)
		for from := 0; from < len(scalars); from += fallbackTerms {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			to := min(from+fallbackTerms, len(scalars))
			var part bn254.G1Jac
			if _, err := part.MultiExp(b.points[from:to], scalars[from:to], config); err != nil {
				return nil, err
			}
			total.AddAssign(&part)
		}
		sums[i].FromJacobian(&total)
	}
	return sums, ctx.Err()
}
