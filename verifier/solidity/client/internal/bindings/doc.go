// Package bindings encodes calls of zkml's verifier and decodes its answers, events and
// errors. It is made by abigen from the contract's interface.
package bindings
