package io.troth.chaos.sim.world;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.function.Supplier;

/**
 * One TCP connection. What is sent on it arrives in order or not at all. Each end notices by itself that it is broken:
 * what was under way to the end that has not noticed yet still arrives, or the first part of it, also after the other
 * end has opened a new connection. One thread.
 */
public final class Connection {

    /** After so long without a sign of life an end gives up. */
    private static final long KEEPALIVE_NANOS = 8_000_000_000L;

    private record Message(Supplier<String> what, Runnable body) {}

    /** One of the two ends. */
    public final class End {
        private final SimProcess process;
        private final Deque<Message> incoming = new ArrayDeque<>();
        private Runnable breaks = () -> {};
        private boolean open = true;
        private long arrives;
        private boolean starved;
        private World.@org.jspecify.annotations.Nullable Task misses;

        private End(SimProcess process) {
            this.process = process;
        }

        public SimProcess process() {
            return process;
        }

        public boolean isOpen() {
            return open;
        }

        /** Whom to call, once, when this end notices that the connection is broken; not when it closes it itself. */
        public void onBreak(Runnable hears) {
            breaks = hears;
        }

        /** Sends to the other end: it arrives after what was sent before, or not at all. */
        public void send(Supplier<String> what, Runnable body) {
            if (open && other().open) {
                other().comes(new Message(what, body));
            }
        }

        /** Closes this end on purpose: what was sent before arrives. */
        public void close() {
            if (open) {
                shut();
                other().comes(new Message(() -> "sees the end of " + Connection.this, other()::breaks));
            }
        }

        /** The connection breaks, and this end notices first. */
        public void breakHere() {
            if (open) {
                shut();
                other().losesSome();
                other().comes(new Message(() -> "sees the break of " + Connection.this, other()::breaks));
                breaks.run();
            }
        }

        /** The other end. */
        public End peer() {
            return other();
        }

        private End other() {
            return this == dialer ? server : dialer;
        }

        private void shut() {
            open = false;
            incoming.clear();
            if (misses != null) {
                misses.cancel();
            }
        }

        private void breaks() {
            if (open) {
                shut();
                breaks.run();
            }
        }

        void die() {
            if (open) {
                shut();
                End peer = other();
                peer.losesSome();
                boolean silent = world.isFaulty() && world.faultRandom().nextInt(4) == 0;
                Runnable notices =
                        () -> peer.comes(new Message(() -> "sees the end of " + Connection.this, peer::breaks));
                if (silent) {
                    world.after(world.random().nextLong(KEEPALIVE_NANOS), () -> "", notices);
                } else {
                    notices.run();
                }
            }
        }

        private void losesSome() {
            if (open && world.isFaulty() && !incoming.isEmpty()) {
                int kept = world.faultRandom().nextInt(incoming.size() + 1);
                while (incoming.size() > kept) {
                    incoming.removeLast();
                }
            }
        }

        private void comes(Message message) {
            if (!open) {
                return;
            }
            incoming.add(message);
            if (!starved) {
                deliverLater();
            }
        }

        private void deliverLater() {
            arrives = Math.max(arrives, world.nanos() + world.shortDelay());
            world.after(arrives - world.nanos(), process, () -> "", this::deliver);
        }

        /** One arrival for each message; what was lost meanwhile leaves some without. */
        private void deliver() {
            if (open && !starved) {
                Message message = incoming.poll();
                if (message != null) {
                    world.note(() -> process.name() + ": " + message.what().get());
                    message.body().run();
                }
            }
        }

        private void wayChanged() {
            boolean cut = !network.reaches(other().process, process);
            if (cut && !starved && open) {
                starved = true;
                misses = world.after(
                        world.random().nextLong(KEEPALIVE_NANOS / 2, KEEPALIVE_NANOS),
                        process,
                        () -> "misses the other end of " + Connection.this,
                        this::breakHere);
            } else if (!cut && starved) {
                starved = false;
                if (misses != null) {
                    misses.cancel();
                }
                for (int i = 0; open && i < incoming.size(); i++) {
                    deliverLater();
                }
            }
        }
    }

    private final World world;
    private final Network network;
    private final End dialer;
    private final End server;
    private final long number;

    Connection(World world, Network network, SimProcess dialer, SimProcess server, long number) {
        this.world = world;
        this.network = network;
        this.number = number;
        this.dialer = new End(dialer);
        this.server = new End(server);
        waysChanged(dialer, server);
        waysChanged(server, dialer);
    }

    public End dialer() {
        return dialer;
    }

    public End server() {
        return server;
    }

    boolean isOver() {
        return !dialer.open && !server.open;
    }

    void waysChanged(SimProcess from, SimProcess to) {
        if (server.process == to && dialer.process == from) {
            server.wayChanged();
        }
        if (dialer.process == to && server.process == from) {
            dialer.wayChanged();
        }
    }

    @Override
    public String toString() {
        return "connection " + number + " " + dialer.process + "-" + server.process;
    }
}
