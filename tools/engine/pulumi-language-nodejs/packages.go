package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

type manifest struct {
	Name                 string                   `json:"name"`
	Version              string                   `json:"version"`
	Dependencies         map[string]string        `json:"dependencies"`
	DevDependencies      map[string]string        `json:"devDependencies"`
	OptionalDependencies map[string]string        `json:"optionalDependencies"`
	Pulumi               *plugin.PulumiPluginJSON `json:"pulumi"`
}

func readManifest(path string) (*manifest, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	result := &manifest{}
	if err := json.Unmarshal(text, result); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return result, nil
}

// findModule looks for a file of an installed package the way Node does, from the folder upwards.
func findModule(folder, name, file string) (string, bool) {
	for {
		candidate := filepath.Join(folder, "node_modules", filepath.FromSlash(name), filepath.FromSlash(file))
		if _, err := os.Stat(candidate); err == nil {
			return candidate, true
		}
		parent := filepath.Dir(folder)
		if parent == folder {
			return "", false
		}
		folder = parent
	}
}

// programManifest finds the package.json that belongs to a program: the nearest one, upwards.
func programManifest(folder string) (*manifest, string, error) {
	for {
		found, err := readManifest(filepath.Join(folder, "package.json"))
		if err == nil {
			return found, folder, nil
		}
		parent := filepath.Dir(folder)
		if !errors.Is(err, fs.ErrNotExist) || parent == folder {
			return nil, "", err
		}
		folder = parent
	}
}

// visit calls a function with every installed dependency, once. The function says whether to go on
// into the dependencies of that dependency. Packages that are not installed, or whose package.json
// npm would not read either, are left out.
func visit(root *manifest, folder string, enter func(*manifest) bool) {
	seen := map[string]bool{}
	var walk func(from *manifest, folder string, isRoot bool)
	walk = func(from *manifest, folder string, isRoot bool) {
		groups := []map[string]string{from.Dependencies, from.OptionalDependencies}
		if isRoot {
			groups = append(groups, from.DevDependencies)
		}
		for _, group := range groups {
			for name := range group {
				path, found := findModule(folder, name, "package.json")
				if !found || seen[path] {
					continue
				}
				seen[path] = true
				dependency, err := readManifest(path)
				if err == nil && enter(dependency) {
					walk(dependency, filepath.Dir(path), false)
				}
			}
		}
	}
	walk(root, folder, true)
}

// requiredPackages lists the provider plugins that the program's npm packages stand for.
func requiredPackages(folder string) ([]*pulumirpc.PackageDependency, error) {
	root, rootFolder, err := programManifest(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var result []*pulumirpc.PackageDependency
	visit(root, rootFolder, func(dependency *manifest) bool {
		if dependency.Pulumi == nil || !dependency.Pulumi.Resource {
			return false
		}
		result = append(result, asPackage(dependency))
		return true
	})
	sort.Slice(result, func(a, b int) bool { return result[a].Name < result[b].Name })
	return result, nil
}

func asPackage(from *manifest) *pulumirpc.PackageDependency {
	name := from.Pulumi.Name
	if name == "" {
		name = from.Name[strings.LastIndex(from.Name, "/")+1:]
	}
	version := from.Pulumi.Version
	if version == "" {
		version = from.Version
	}
	return &pulumirpc.PackageDependency{
		Name:             name,
		Kind:             "resource",
		Version:          version,
		Server:           from.Pulumi.Server,
		Parameterization: asParameterization(from.Pulumi.Parameterization),
		Extension:        asParameterization(from.Pulumi.ExtensionParameterization),
	}
}

func asParameterization(from *plugin.PulumiParameterizationJSON) *pulumirpc.PackageParameterization {
	if from == nil {
		return nil
	}
	return &pulumirpc.PackageParameterization{Name: from.Name, Version: from.Version, Value: from.Value}
}

// programDependencies lists the npm packages of a program, for `pulumi about`.
func programDependencies(folder string, transitive bool) ([]*pulumirpc.DependencyInfo, error) {
	root, rootFolder, err := programManifest(folder)
	if err != nil {
		return nil, err
	}
	var result []*pulumirpc.DependencyInfo
	visit(root, rootFolder, func(dependency *manifest) bool {
		result = append(result, &pulumirpc.DependencyInfo{Name: dependency.Name, Version: dependency.Version})
		return transitive
	})
	sort.Slice(result, func(a, b int) bool { return result[a].Name < result[b].Name })
	return result, nil
}
