package main

import (
	"os"

	"github.com/pulumi/pulumi/sdk/v3/go/common/util/cmdutil"
)

func askToEnd(process *os.Process) error {
	_ = cmdutil.KillChildren(process.Pid)
	return process.Kill()
}

func killOwnGroup() {
	_ = cmdutil.KillChildren(os.Getpid())
}
