package client

// AdapterErrors and ConsumerErrors are the errors that can be named.
var AdapterErrors, ConsumerErrors = adapterErrors, consumerErrors
