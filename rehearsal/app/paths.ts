/** Where the process says how it is, as the health checks of different systems ask. */
export const healthPaths: readonly string[] = ["/healthz", "/health", "/api/health"];

/** Where the process answers for itself: no writes go there. */
export const ownPaths: readonly string[] = [...healthPaths, "/version", "/metrics"];
