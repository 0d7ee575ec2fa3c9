package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"github.com/google/shlex"
	"github.com/pulumi/pulumi/sdk/v3/go/common/version"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
)

// The SDK ends a program with this code when it has told the user everything already.
const exitAlreadyReported = 32

type languageHost struct {
	pulumirpc.UnimplementedLanguageRuntimeServer

	engine   string
	tracing  string
	children *children
}

// options are the runtime options of Pulumi.yaml, PulumiPolicy.yaml and PulumiPlugin.yaml.
type options struct {
	typescript     bool
	tsconfig       string
	nodeArgs       []string
	packageManager string
}

func readOptions(info *pulumirpc.ProgramInfo) (options, error) {
	result := options{typescript: true, packageManager: "npm"}
	values := info.GetOptions().AsMap()
	switch value := values["typescript"].(type) {
	case nil:
	case bool:
		result.typescript = value
	case string:
		parsed, err := strconv.ParseBool(value)
		if err != nil {
			return result, fmt.Errorf("runtime option typescript: %q is neither true nor false", value)
		}
		result.typescript = parsed
	default:
		return result, fmt.Errorf("runtime option typescript: %v is neither true nor false", value)
	}
	for name, target := range map[string]*string{
		"tsconfig":       &result.tsconfig,
		"packagemanager": &result.packageManager,
	} {
		if value, given := values[name]; given {
			text, ok := value.(string)
			if !ok {
				return result, fmt.Errorf("runtime option %s: %v is not a string", name, value)
			}
			*target = text
		}
	}
	if result.packageManager == "auto" || result.packageManager == "" {
		result.packageManager = "npm"
	}
	if value, given := values["nodeargs"]; given {
		text, ok := value.(string)
		if !ok {
			return result, fmt.Errorf("runtime option nodeargs: %v is not a string", value)
		}
		split, err := shlex.Split(text)
		if err != nil {
			return result, fmt.Errorf("runtime option nodeargs: %w", err)
		}
		result.nodeArgs = split
	}
	return result, nil
}

func (h *languageHost) Handshake(
	_ context.Context, request *pulumirpc.LanguageHandshakeRequest,
) (*pulumirpc.LanguageHandshakeResponse, error) {
	if request.GetEngineAddress() != "" {
		h.engine = request.GetEngineAddress()
	}
	return &pulumirpc.LanguageHandshakeResponse{}, nil
}

func (h *languageHost) GetPluginInfo(context.Context, *emptypb.Empty) (*pulumirpc.PluginInfo, error) {
	return &pulumirpc.PluginInfo{Version: version.Version}, nil
}

func (h *languageHost) RuntimeOptionsPrompts(
	context.Context, *pulumirpc.RuntimeOptionsRequest,
) (*pulumirpc.RuntimeOptionsResponse, error) {
	return &pulumirpc.RuntimeOptionsResponse{}, nil
}

func (h *languageHost) Template(context.Context, *pulumirpc.TemplateRequest) (*pulumirpc.TemplateResponse, error) {
	return &pulumirpc.TemplateResponse{}, nil
}

// Cancel leaves the program alone: a hook in it may be undoing a step at this moment, and the engine
// closes the resource monitor and then this host when it has waited long enough.
func (h *languageHost) Cancel(context.Context, *emptypb.Empty) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, nil
}

func (h *languageHost) About(ctx context.Context, _ *pulumirpc.AboutRequest) (*pulumirpc.AboutResponse, error) {
	node, err := findNode()
	if err != nil {
		return nil, err
	}
	output, err := exec.CommandContext(ctx, node, "--version").Output()
	if err != nil {
		return nil, fmt.Errorf("%s --version: %w", node, err)
	}
	return &pulumirpc.AboutResponse{
		Executable: node,
		Version:    strings.TrimSpace(string(output)),
		Metadata:   map[string]string{"host": "built from source"},
	}, nil
}

func (h *languageHost) GetRequiredPlugins(
	_ context.Context, request *pulumirpc.GetRequiredPluginsRequest,
) (*pulumirpc.GetRequiredPluginsResponse, error) {
	packages, err := requiredPackages(request.GetInfo().GetProgramDirectory())
	if err != nil {
		return nil, err
	}
	response := &pulumirpc.GetRequiredPluginsResponse{}
	for _, one := range packages {
		response.Plugins = append(response.Plugins, &pulumirpc.PluginDependency{
			Name: one.Name, Kind: one.Kind, Version: one.Version, Server: one.Server,
		})
	}
	return response, nil
}

func (h *languageHost) GetRequiredPackages(
	_ context.Context, request *pulumirpc.GetRequiredPackagesRequest,
) (*pulumirpc.GetRequiredPackagesResponse, error) {
	packages, err := requiredPackages(request.GetInfo().GetProgramDirectory())
	if err != nil {
		return nil, err
	}
	return &pulumirpc.GetRequiredPackagesResponse{Packages: packages}, nil
}

func (h *languageHost) GetProgramDependencies(
	_ context.Context, request *pulumirpc.GetProgramDependenciesRequest,
) (*pulumirpc.GetProgramDependenciesResponse, error) {
	dependencies, err := programDependencies(
		request.GetInfo().GetProgramDirectory(), request.GetTransitiveDependencies())
	if err != nil {
		return nil, err
	}
	return &pulumirpc.GetProgramDependenciesResponse{Dependencies: dependencies}, nil
}

func (h *languageHost) InstallDependencies(
	request *pulumirpc.InstallDependenciesRequest,
	server grpc.ServerStreamingServer[pulumirpc.InstallDependenciesResponse],
) error {
	chosen, err := readOptions(request.GetInfo())
	if err != nil {
		return err
	}
	manager, err := exec.LookPath(chosen.packageManager)
	if err != nil {
		return fmt.Errorf("cannot install dependencies: %w", err)
	}
	var sending sync.Mutex
	send := func(response *pulumirpc.InstallDependenciesResponse) error {
		sending.Lock()
		defer sending.Unlock()
		return server.Send(response)
	}
	stdout := writerFunc(func(chunk []byte) error {
		return send(&pulumirpc.InstallDependenciesResponse{Stdout: chunk})
	})
	stderr := writerFunc(func(chunk []byte) error {
		return send(&pulumirpc.InstallDependenciesResponse{Stderr: chunk})
	})
	fmt.Fprintf(stdout, "Running %s install\n", chosen.packageManager)
	code, err := h.children.run(server.Context(), command{
		path: manager, args: []string{"install"},
		folder: request.GetInfo().GetProgramDirectory(), env: os.Environ(),
		stdout: stdout, stderr: stderr,
	})
	if err == nil && code != 0 {
		err = fmt.Errorf("%s install ended with code %d", chosen.packageManager, code)
	}
	return err
}

// Run starts the program. The program's folder decides which SDK starts it.
func (h *languageHost) Run(ctx context.Context, request *pulumirpc.RunRequest) (*pulumirpc.RunResponse, error) {
	if request.GetAttachDebugger() {
		return nil, status.Error(codes.Unimplemented,
			"this language host cannot attach a debugger; set runtime option nodeargs to --inspect-brk instead")
	}
	info := request.GetInfo()
	chosen, err := readOptions(info)
	if err != nil {
		return nil, err
	}
	node, err := findNode()
	if err != nil {
		return nil, err
	}
	runner, found := findModule(info.GetProgramDirectory(), "@pulumi/pulumi", "cmd/run/index.js")
	if !found {
		return &pulumirpc.RunResponse{Error: fmt.Sprintf(
			"@pulumi/pulumi is not installed for %s: run npm install there", info.GetProgramDirectory())}, nil
	}
	env, err := h.programEnv(request, chosen)
	if err != nil {
		return nil, err
	}
	args := append(append([]string{}, chosen.nodeArgs...), runner)
	args = append(args, h.programFlags(request)...)
	args = append(args, info.GetEntryPoint())
	args = append(args, request.GetArgs()...)
	code, err := h.children.run(ctx, command{
		path: node, args: args, folder: request.GetPwd(), env: env,
		stdout: os.Stdout, stderr: os.Stderr,
	})
	switch {
	case err != nil:
		return &pulumirpc.RunResponse{Error: err.Error()}, nil
	case code == exitAlreadyReported:
		return &pulumirpc.RunResponse{Bail: true}, nil
	case code != 0:
		return &pulumirpc.RunResponse{Error: fmt.Sprintf("the program ended with code %d", code)}, nil
	}
	return &pulumirpc.RunResponse{}, nil
}

func (h *languageHost) programFlags(request *pulumirpc.RunRequest) []string {
	var flags []string
	add := func(name, value string) {
		if value != "" {
			flags = append(flags, "--"+name+"="+value)
		}
	}
	add("monitor", request.GetMonitorAddress())
	add("engine", h.engine)
	add("organization", request.GetOrganization())
	add("project", request.GetProject())
	add("root-directory", request.GetInfo().GetRootDirectory())
	add("stack", request.GetStack())
	add("pwd", request.GetPwd())
	if request.GetDryRun() {
		flags = append(flags, "--dry-run")
	}
	add("parallel", strconv.Itoa(int(request.GetParallel())))
	add("tracing", h.tracing)
	return flags
}

func (h *languageHost) programEnv(request *pulumirpc.RunRequest, chosen options) ([]string, error) {
	config := request.GetConfig()
	if config == nil {
		config = map[string]string{}
	}
	configText, err := json.Marshal(config)
	if err != nil {
		return nil, fmt.Errorf("cannot write the stack's config: %w", err)
	}
	secretKeys := request.GetConfigSecretKeys()
	if secretKeys == nil {
		secretKeys = []string{}
	}
	secretText, err := json.Marshal(secretKeys)
	if err != nil {
		return nil, fmt.Errorf("cannot write the stack's secret keys: %w", err)
	}
	env := append(os.Environ(),
		"PULUMI_CONFIG="+string(configText),
		"PULUMI_CONFIG_SECRET_KEYS="+string(secretText),
		"PULUMI_NODEJS_TYPESCRIPT="+strconv.FormatBool(chosen.typescript),
	)
	if chosen.tsconfig != "" {
		env = append(env, "PULUMI_NODEJS_TSCONFIG_PATH="+chosen.tsconfig)
	}
	return env, nil
}

// RunPlugin starts a policy pack or a provider and hands on its output until it ends.
func (h *languageHost) RunPlugin(
	request *pulumirpc.RunPluginRequest, server grpc.ServerStreamingServer[pulumirpc.RunPluginResponse],
) error {
	if request.GetAttachDebugger() {
		return status.Error(codes.Unimplemented, "this language host cannot attach a debugger to a plugin")
	}
	info := request.GetInfo()
	chosen, err := readOptions(info)
	if err != nil {
		return err
	}
	node, err := findNode()
	if err != nil {
		return err
	}
	var sending sync.Mutex
	send := func(response *pulumirpc.RunPluginResponse) error {
		sending.Lock()
		defer sending.Unlock()
		return server.Send(response)
	}
	stdout := writerFunc(func(chunk []byte) error {
		return send(&pulumirpc.RunPluginResponse{Output: &pulumirpc.RunPluginResponse_Stdout{Stdout: chunk}})
	})
	stderr := writerFunc(func(chunk []byte) error {
		return send(&pulumirpc.RunPluginResponse{Output: &pulumirpc.RunPluginResponse_Stderr{Stderr: chunk}})
	})
	end := func(code int) error {
		return send(&pulumirpc.RunPluginResponse{
			Output: &pulumirpc.RunPluginResponse_Exitcode{Exitcode: int32(code)},
		})
	}

	isPack := request.GetKind() == "analyzer"
	module, folder := "cmd/run-plugin", request.GetPwd()
	if isPack {
		// The policy SDK reads the pack's version from the package.json of its working folder.
		module, folder = "cmd/run-policy-pack", info.GetProgramDirectory()
	}
	runner, found := findModule(info.GetProgramDirectory(), "@pulumi/pulumi", module+"/index.js")
	if !found {
		// The engine knows this sentence and answers it with advice of its own.
		fmt.Fprintf(stderr, "Cannot find module '@pulumi/pulumi/%s' from %s: run npm install there\n",
			module, info.GetProgramDirectory())
		return end(1)
	}
	program := filepath.Join(info.GetProgramDirectory(), info.GetEntryPoint())
	args := append(append([]string{}, chosen.nodeArgs...), runner)
	if isPack {
		args = append(append(args, bareFlagsClosed(request.GetArgs())...), program)
	} else {
		args = append(append(args, program), bareFlagsClosed(request.GetArgs())...)
	}
	code, err := h.children.run(server.Context(), command{
		path: node, args: args, folder: folder, env: request.GetEnv(),
		stdout: stdout, stderr: stderr,
	})
	if err != nil {
		if errors.Is(err, context.Canceled) {
			return status.Error(codes.Canceled, "the plugin was stopped")
		}
		return err
	}
	return end(code)
}

// bareFlagsClosed keeps the SDK's argument parser from taking the argument after --logtostderr, which
// is the engine's address, for the flag's value.
func bareFlagsClosed(arguments []string) []string {
	closed := make([]string, len(arguments))
	for index, argument := range arguments {
		if argument == "--logtostderr" {
			argument += "=true"
		}
		closed[index] = argument
	}
	return closed
}

func findNode() (string, error) {
	node, err := exec.LookPath("node")
	if err != nil {
		return "", fmt.Errorf("node is not on PATH: %w", err)
	}
	return filepath.Abs(node)
}

type writerFunc func([]byte) error

var _ io.Writer = writerFunc(nil)

func (write writerFunc) Write(chunk []byte) (int, error) {
	// The sender keeps the slice until it is on its way; the caller reuses its buffer at once.
	if err := write(append([]byte(nil), chunk...)); err != nil {
		return 0, err
	}
	return len(chunk), nil
}
