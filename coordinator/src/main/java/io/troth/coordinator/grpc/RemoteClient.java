package io.troth.coordinator.grpc;

/** Speaks to one coordinator, for the command line. */
public interface RemoteClient extends AutoCloseable {

    /** Ends the connection. */
    @Override
    void close();
}
