package io.troth.chaos.mutants;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.net.URI;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import javax.tools.FileObject;
import javax.tools.ForwardingJavaFileManager;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileManager;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;

/**
 * A whole Troth with one bug in it, beside the one of the build: the patched files are compiled in memory against the
 * current classes, and all of {@code io.troth} is loaded anew, since classes of one package must come from one loader to
 * see each other. Nothing of it meets the classes of the test; they talk through types of the JDK.
 */
final class MutantClasses extends ClassLoader {

    private static final String OURS = "io.troth.";

    private final Map<String, byte[]> mutated;

    static {
        registerAsParallelCapable();
    }

    private MutantClasses(Map<String, byte[]> mutated, ClassLoader parent) {
        super("mutant", parent);
        this.mutated = mutated;
    }

    /**
     * Compiles the sources, by their paths.
     *
     * @throws IllegalStateException with the compiler's words when they do not compile
     */
    static MutantClasses compile(Map<String, String> sources) {
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        StringWriter words = new StringWriter();
        List<JavaFileObject> units = new ArrayList<>();
        sources.forEach((path, text) -> units.add(new Source(path, text)));
        Map<String, ByteArrayOutputStream> compiled = new HashMap<>();
        // The sources of the build must not be found: only what is patched is compiled.
        List<String> options = List.of(
                "-proc:none",
                "-nowarn",
                "-Xlint:none",
                "-implicit:none",
                "-sourcepath",
                "",
                "-classpath",
                System.getProperty("java.class.path"));
        boolean good;
        try (StandardJavaFileManager disk = compiler.getStandardFileManager(null, null, null);
                JavaFileManager memory = new Memory(disk, compiled)) {
            good = compiler.getTask(words, memory, null, options, null, units).call();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        if (!good) {
            throw new IllegalStateException("the mutant does not compile:\n" + words);
        }
        Map<String, byte[]> classes = new HashMap<>();
        compiled.forEach((name, bytes) -> classes.put(name, bytes.toByteArray()));
        return new MutantClasses(classes, MutantClasses.class.getClassLoader());
    }

    /** The unchanged classes, in a loader of their own as well. */
    static MutantClasses unchanged() {
        return new MutantClasses(Map.of(), MutantClasses.class.getClassLoader());
    }

    @Override
    protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
        if (!name.startsWith(OURS)) {
            return super.loadClass(name, resolve);
        }
        synchronized (getClassLoadingLock(name)) {
            Class<?> loaded = findLoadedClass(name);
            return loaded != null ? loaded : define(name);
        }
    }

    private Class<?> define(String name) throws ClassNotFoundException {
        byte[] bytes = mutated.get(name);
        if (bytes == null) {
            try (InputStream in = getParent().getResourceAsStream(name.replace('.', '/') + ".class")) {
                if (in == null) {
                    throw new ClassNotFoundException(name);
                }
                bytes = in.readAllBytes();
            } catch (IOException e) {
                throw new ClassNotFoundException(name, e);
            }
        }
        return defineClass(name, bytes, 0, bytes.length, MutantClasses.class.getProtectionDomain());
    }

    /** A source that is only in memory. */
    private static final class Source extends SimpleJavaFileObject {
        private final String text;

        Source(String path, String text) {
            super(URI.create("string:///" + path.substring(path.indexOf("/java/") + "/java/".length())), Kind.SOURCE);
            this.text = text;
        }

        @Override
        public CharSequence getCharContent(boolean ignoreEncodingErrors) {
            return text;
        }
    }

    /** Takes what the compiler writes. */
    private static final class Memory extends ForwardingJavaFileManager<StandardJavaFileManager> {
        private final Map<String, ByteArrayOutputStream> compiled;

        Memory(StandardJavaFileManager disk, Map<String, ByteArrayOutputStream> compiled) {
            super(disk);
            this.compiled = compiled;
        }

        @Override
        public JavaFileObject getJavaFileForOutput(
                Location location, String className, JavaFileObject.Kind kind, FileObject sibling) {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            compiled.put(className, bytes);
            return new SimpleJavaFileObject(
                    URI.create("mem:///" + className.replace('.', '/') + kind.extension), kind) {
                @Override
                public OutputStream openOutputStream() {
                    return bytes;
                }
            };
        }
    }
}
