// Package circuit compiles an integer program to a PLONK constraint system.
package circuit
