package io.troth.chaos.sim.world;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/** Who reaches whom, and every connection there is. One thread. */
public final class Network {

    private final World world;
    private long numbers;
    private final List<Connection> connections = new ArrayList<>();
    /** {@code from>to} of each way that is cut. */
    private final Set<String> cut = new TreeSet<>();

    Network(World world) {
        this.world = world;
    }

    /** Opens a connection; both ends are open at once. */
    public Connection connect(SimProcess dialer, SimProcess server) {
        connections.removeIf(Connection::isOver);
        Connection connection = new Connection(world, this, dialer, server, ++numbers);
        connections.add(connection);
        return connection;
    }

    /** Nothing from the one reaches the other any more. */
    public void cut(SimProcess from, SimProcess to) {
        cut.add(from.name() + ">" + to.name());
        connections.forEach(connection -> connection.waysChanged(from, to));
    }

    /** It does again. */
    public void heal(SimProcess from, SimProcess to) {
        if (cut.remove(from.name() + ">" + to.name())) {
            connections.forEach(connection -> connection.waysChanged(from, to));
        }
    }

    /** Everyone reaches everyone. */
    public void healAll() {
        cut.clear();
        for (Connection connection : List.copyOf(connections)) {
            connection.waysChanged(
                    connection.dialer().process(), connection.server().process());
            connection.waysChanged(
                    connection.server().process(), connection.dialer().process());
        }
    }

    /** Whether a way is open. */
    public boolean reaches(SimProcess from, SimProcess to) {
        return cut.isEmpty() || !cut.contains(from.name() + ">" + to.name());
    }

    /** Connections with an open end, in the order in which they were made. */
    public List<Connection> open() {
        connections.removeIf(Connection::isOver);
        return List.copyOf(connections);
    }

    /** A process has died: its ends are closed, and the others notice, soon or when they miss it. */
    public void died(SimProcess process) {
        for (Connection connection : List.copyOf(connections)) {
            if (connection.dialer().process() == process) {
                connection.dialer().die();
            }
            if (connection.server().process() == process) {
                connection.server().die();
            }
        }
    }
}
