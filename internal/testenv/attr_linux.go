package testenv

import "syscall"

// processAttr puts a child into its own process group and has the kernel kill
// it when this process ends, however that happens.
func processAttr() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// enclosedAttr is processAttr for a program that starts others and mounts file
// systems: both end with it. It needs root.
func enclosedAttr() *syscall.SysProcAttr {
	a := processAttr()
	a.Cloneflags = syscall.CLONE_NEWPID
	a.Unshareflags = syscall.CLONE_NEWNS // keeps mounts from spreading, which the clone flag alone does not
	return a
}
