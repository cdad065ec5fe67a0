package io.troth.bench.peers.narayana;

import com.arjuna.ats.internal.arjuna.objectstore.slot.DiskSlots;
import java.io.IOException;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Narayana's slots on disk, with a count of the forced ones. They use {@code FileDescriptor.sync}, for which the JVM has no
 * event; each write that is asked to be synchronous is one such call, and so is each clear, which is a write. Thread-safe.
 */
public final class CountingDiskSlots extends DiskSlots {

    private final AtomicLong forces = new AtomicLong();

    @Override
    public void write(int slot, byte[] data, boolean sync) throws IOException {
        super.write(slot, data, sync);
        if (sync) {
            forces.incrementAndGet();
        }
    }

    long forces() {
        return forces.get();
    }
}
