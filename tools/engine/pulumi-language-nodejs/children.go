package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"runtime"
	"sync"
	"time"
)

// How long a child may take to end by itself. The engine kills this host after five seconds.
const gracePeriod = 3 * time.Second

type command struct {
	path           string
	args           []string
	folder         string
	env            []string
	stdout, stderr io.Writer
}

// children are the processes of this host; none of them outlives the context they were made with.
type children struct {
	ctx     context.Context
	running sync.WaitGroup
}

func newChildren(ctx context.Context) *children {
	return &children{ctx: ctx}
}

// run starts a command, waits for it and returns its exit code. An error means that the command did
// not start, was stopped through one of the two contexts, or was ended by a signal.
func (c *children) run(ctx context.Context, what command) (int, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	unlink := context.AfterFunc(c.ctx, func() { cancel(context.Canceled) })
	defer unlink()

	c.running.Add(1)
	defer c.running.Done()
	// Linux ties the death signal of a child to the thread that started it, not to the process.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()

	cmd := exec.CommandContext(ctx, what.path, what.args...)
	cmd.Dir = what.folder
	cmd.Env = what.env
	// Wrapped, so that a grandchild that keeps its output open cannot hold up the engine.
	cmd.Stdout = struct{ io.Writer }{what.stdout}
	cmd.Stderr = struct{ io.Writer }{what.stderr}
	cmd.WaitDelay = gracePeriod
	cmd.Cancel = func() error { return askToEnd(cmd.Process) }
	cmd.SysProcAttr = childAttributes()

	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return -1, context.Canceled
	case err == nil, errors.Is(err, exec.ErrWaitDelay):
		return cmd.ProcessState.ExitCode(), nil
	case errors.As(err, &exit) && exit.ExitCode() >= 0:
		return exit.ExitCode(), nil
	case errors.As(err, &exit):
		return -1, fmt.Errorf("%s was ended from outside: %s", what.path, exit.ProcessState)
	}
	return -1, err
}

// wait reports whether every child has ended within the given time.
func (c *children) wait(limit time.Duration) bool {
	ended := make(chan struct{})
	go func() {
		c.running.Wait()
		close(ended)
	}()
	select {
	case <-ended:
		return true
	case <-time.After(limit):
		return false
	}
}
