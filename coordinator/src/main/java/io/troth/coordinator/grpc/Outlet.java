package io.troth.coordinator.grpc;

import io.troth.core.Reason;

/** Where what the engine says on one stream goes. Engine thread only, but for {@link #finish}. A peer that
 * is gone swallows everything. */
interface Outlet<M> {

    /** Adds to the next batch. True when it is the first since the last flush. */
    boolean add(M message);

    /** Ends the stream after the next batch. True when it was not to be flushed before. */
    boolean close(Reason reason);

    /** Lets the batch leave. */
    void flush();

    /** The leadership is over: ends the stream after what was handed over for it. Any thread. */
    void finish(Redirect redirect);
}
