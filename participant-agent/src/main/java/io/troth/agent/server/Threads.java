package io.troth.agent.server;

/** The agent's own threads. */
final class Threads {

    private Threads() {}

    /** A thread that keeps no process alive. */
    static Thread daemon(Runnable task, String name) {
        Thread thread = new Thread(task, name);
        thread.setDaemon(true);
        return thread;
    }
}
