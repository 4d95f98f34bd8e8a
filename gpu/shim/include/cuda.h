/* The part of CUDA's driver header that the Go wrappers include: nothing of it is used. */
