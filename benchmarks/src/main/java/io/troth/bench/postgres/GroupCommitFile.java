package io.troth.bench.postgres;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;

/**
 * A log as one writes it by hand: a file that is appended to and forced (fdatasync). Whoever finds nobody forcing takes
 * everything that waits, its own record among it, and forces it; the others wait for the next. So a record alone costs
 * one force and no hand-over to another thread, and many at once share. Thread-safe.
 */
final class GroupCommitFile implements AutoCloseable {

    private final FileChannel channel;
    private final Object lock = new Object();
    private List<ByteBuffer> waiting = new ArrayList<>();
    private long appended;
    private long durable;
    private boolean forcing;
    private boolean failed;
    private long forces;

    GroupCommitFile(Path file) throws IOException {
        this.channel = FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
    }

    /** Returns when the record is durable. */
    void force(ByteBuffer record) throws IOException, InterruptedException {
        long mine;
        List<ByteBuffer> batch;
        synchronized (lock) {
            waiting.add(record);
            appended++;
            mine = appended;
            while (forcing && durable < mine) {
                lock.wait();
            }
            if (durable >= mine) {
                return;
            }
            if (failed) {
                throw new IOException("an earlier write failed: nobody knows what is durable");
            }
            forcing = true;
            batch = waiting;
            waiting = new ArrayList<>();
            mine = appended;
        }
        boolean done = false;
        try {
            write(batch);
            done = true;
        } finally {
            synchronized (lock) {
                forcing = false;
                if (done) {
                    durable = mine;
                    forces++;
                } else {
                    failed = true;
                }
                lock.notifyAll();
            }
        }
    }

    private void write(List<ByteBuffer> batch) throws IOException {
        ByteBuffer[] buffers = batch.toArray(ByteBuffer[]::new);
        long left = batch.stream().mapToLong(ByteBuffer::remaining).sum();
        while (left > 0) {
            left -= channel.write(buffers);
        }
        channel.force(false);
    }

    /** How often the file was forced. */
    long forces() {
        synchronized (lock) {
            return forces;
        }
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
