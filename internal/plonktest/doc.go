// Package plonktest has circuits, with their keys and witnesses, on which provers are
// tested and measured: random small ones, and large ones of known shape.
package plonktest
