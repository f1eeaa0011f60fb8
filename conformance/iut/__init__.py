"""The upper tester: adapters, their processes, and the stacks that come with one."""
