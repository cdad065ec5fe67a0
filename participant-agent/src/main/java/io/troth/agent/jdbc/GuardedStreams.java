package io.troth.agent.jdbc;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.Reader;
import java.io.Writer;
import java.sql.SQLException;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Streams of large values: each read or write may speak to the database, and goes through the guard. */
final class GuardedStreams {

    private GuardedStreams() {}

    private interface StreamCall<T> {
        @Nullable
        T run() throws IOException;
    }

    private static <T> @Nullable T guarded(Guard guard, Use use, StreamCall<T> call) throws IOException {
        try {
            guard.check();
            return guard.run(use, null, () -> {
                try {
                    return call.run();
                } catch (IOException e) {
                    if (e.getCause() instanceof SQLException failure) {
                        throw failure;
                    }
                    throw new SQLException("a large value cannot be read or written: " + e.getMessage(), "HY000", e);
                }
            });
        } catch (SQLException e) {
            throw new IOException(e.getMessage(), e);
        }
    }

    private static void released(Guard guard, StreamCall<Void> call) throws IOException {
        try {
            guard.release(() -> {
                try {
                    return call.run();
                } catch (IOException e) {
                    throw new SQLException("a large value cannot be closed: " + e.getMessage(), "HY000", e);
                }
            });
        } catch (SQLException e) {
            throw new IOException(e.getMessage(), e);
        }
    }

    static final class In extends InputStream {

        private final InputStream target;
        private final Guard guard;

        In(InputStream target, Guard guard) {
            this.target = target;
            this.guard = guard;
        }

        @Override
        public int read() throws IOException {
            return Objects.requireNonNull(guarded(guard, Use.QUERY, target::read));
        }

        @Override
        public int read(byte[] buffer, int offset, int length) throws IOException {
            return Objects.requireNonNull(guarded(guard, Use.QUERY, () -> target.read(buffer, offset, length)));
        }

        @Override
        public int available() throws IOException {
            return Objects.requireNonNull(guarded(guard, Use.QUERY, target::available));
        }

        @Override
        public void close() throws IOException {
            released(guard, () -> {
                target.close();
                return null;
            });
        }
    }

    static final class Out extends OutputStream {

        private final OutputStream target;
        private final Guard guard;

        Out(OutputStream target, Guard guard) {
            this.target = target;
            this.guard = guard;
        }

        @Override
        public void write(int value) throws IOException {
            guarded(guard, Use.EXECUTE, () -> {
                target.write(value);
                return null;
            });
        }

        @Override
        public void write(byte[] buffer, int offset, int length) throws IOException {
            guarded(guard, Use.EXECUTE, () -> {
                target.write(buffer, offset, length);
                return null;
            });
        }

        @Override
        public void flush() throws IOException {
            guarded(guard, Use.EXECUTE, () -> {
                target.flush();
                return null;
            });
        }

        /** Closing writes what is buffered, so it must not be skipped. */
        @Override
        public void close() throws IOException {
            guarded(guard, Use.EXECUTE, () -> {
                target.close();
                return null;
            });
        }
    }

    static final class Characters extends Reader {

        private final Reader target;
        private final Guard guard;

        Characters(Reader target, Guard guard) {
            this.target = target;
            this.guard = guard;
        }

        @Override
        public int read(char[] buffer, int offset, int length) throws IOException {
            return Objects.requireNonNull(guarded(guard, Use.QUERY, () -> target.read(buffer, offset, length)));
        }

        @Override
        public void close() throws IOException {
            released(guard, () -> {
                target.close();
                return null;
            });
        }
    }

    static final class Text extends Writer {

        private final Writer target;
        private final Guard guard;

        Text(Writer target, Guard guard) {
            this.target = target;
            this.guard = guard;
        }

        @Override
        public void write(char[] buffer, int offset, int length) throws IOException {
            guarded(guard, Use.EXECUTE, () -> {
                target.write(buffer, offset, length);
                return null;
            });
        }

        @Override
        public void flush() throws IOException {
            guarded(guard, Use.EXECUTE, () -> {
                target.flush();
                return null;
            });
        }

        /** Closing writes what is buffered, so it must not be skipped. */
        @Override
        public void close() throws IOException {
            guarded(guard, Use.EXECUTE, () -> {
                target.close();
                return null;
            });
        }
    }
}
