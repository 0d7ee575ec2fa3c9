// Command pulumi-language-nodejs lets a Pulumi CLI that was built from source run Node.js programs,
// policy packs and plugins. No module registry carries the official language host, so the engine
// getter builds this one beside the CLI, for that route only.
//
// The engine starts it with its own address as the last argument and reads the port of the
// LanguageRuntime service from the first line of standard output.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
)

// How often the engine's health is asked for. Standard input tells sooner on most systems.
const healthInterval = 15 * time.Second

var errEngineGone = errors.New("the engine is gone")

func main() {
	if err := serve(os.Args[1:]); err != nil {
		fmt.Fprintf(os.Stderr, "pulumi-language-nodejs: %v\n", err)
		os.Exit(1)
	}
}

func serve(arguments []string) error {
	flags := flag.NewFlagSet("pulumi-language-nodejs", flag.ContinueOnError)
	tracing := flags.String("tracing", "", "where the program sends its traces")
	// The engine passes these to every plugin; this host keeps no log of its own.
	flags.Bool("logtostderr", false, "accepted, not used")
	flags.Bool("logflow", false, "accepted, not used")
	flags.Int("v", 0, "accepted, not used")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	if flags.NArg() == 0 {
		return errors.New("the engine's address is missing; the Pulumi CLI starts this program itself")
	}
	engine := flags.Arg(flags.NArg() - 1)

	ctx, stop := context.WithCancelCause(context.Background())
	defer stop(nil)
	watchSignals(stop)
	watchStdin(stop)
	if err := rpcutil.Healthcheck(ctx, engine, healthInterval, func() { stop(errEngineGone) }); err != nil {
		return fmt.Errorf("cannot watch the engine at %s: %w", engine, err)
	}

	host := &languageHost{engine: engine, tracing: *tracing, children: newChildren(ctx)}
	handle, err := rpcutil.ServeWithOptions(rpcutil.ServeOptions{
		Init: func(server *grpc.Server) error {
			pulumirpc.RegisterLanguageRuntimeServer(server, host)
			return nil
		},
		Options: rpcutil.TracingServerInterceptorOptions(nil),
	})
	if err != nil {
		return err
	}
	fmt.Printf("%d\n", handle.Port)

	select {
	case err = <-handle.Done:
		stop(err)
	case <-ctx.Done():
	}
	finished := host.children.wait(gracePeriod + time.Second)
	if !finished || errors.Is(context.Cause(ctx), errEngineGone) {
		// Whoever a child has started would outlive it otherwise. This ends this process, too.
		killOwnGroup()
	}
	return err
}

// watchSignals ends the host on the signals with which the engine asks it to go.
func watchSignals(stop context.CancelCauseFunc) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		received := <-signals
		stop(fmt.Errorf("got the signal %v", received))
	}()
}

// watchStdin ends the host when the engine's end of the pipe closes, which the operating system does
// even when the engine was killed. Anything but a pipe says nothing about the engine.
func watchStdin(stop context.CancelCauseFunc) {
	info, err := os.Stdin.Stat()
	if err != nil || info.Mode()&os.ModeNamedPipe == 0 {
		return
	}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		stop(errEngineGone)
	}()
}
