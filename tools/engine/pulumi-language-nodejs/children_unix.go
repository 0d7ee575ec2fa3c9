//go:build unix

package main

import (
	"os"
	"syscall"
)

func askToEnd(process *os.Process) error {
	return process.Signal(syscall.SIGTERM)
}

// killOwnGroup kills everything in this host's process group, itself included. The engine gives each
// plugin a group of its own; in anybody else's group there are strangers.
func killOwnGroup() {
	if syscall.Getpgrp() == os.Getpid() {
		_ = syscall.Kill(-os.Getpid(), syscall.SIGKILL)
	}
}
