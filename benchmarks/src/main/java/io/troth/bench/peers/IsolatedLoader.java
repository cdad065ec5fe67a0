package io.troth.bench.peers;

import java.io.IOException;
import java.io.InputStream;
import java.util.List;

/**
 * Defines the classes of some packages anew, from the class path of its parent, and leaves all others to the parent. The
 * peers keep their settings and their log in static fields: with a loader each, the same peer can run with different
 * settings in one JVM.
 */
final class IsolatedLoader extends ClassLoader {

    static {
        registerAsParallelCapable();
    }

    private final List<String> packages;

    /** @param packages prefixes of class names, with the dot at their end */
    IsolatedLoader(List<String> packages) {
        super(IsolatedLoader.class.getClassLoader());
        this.packages = List.copyOf(packages);
    }

    @Override
    protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
        if (packages.stream().noneMatch(name::startsWith)) {
            return super.loadClass(name, resolve);
        }
        synchronized (getClassLoadingLock(name)) {
            Class<?> loaded = findLoadedClass(name);
            return loaded == null ? define(name) : loaded;
        }
    }

    private Class<?> define(String name) throws ClassNotFoundException {
        try (InputStream file = getParent().getResourceAsStream(name.replace('.', '/') + ".class")) {
            if (file == null) {
                throw new ClassNotFoundException(name);
            }
            byte[] bytes = file.readAllBytes();
            return defineClass(name, bytes, 0, bytes.length);
        } catch (IOException e) {
            throw new ClassNotFoundException(name, e);
        }
    }
}
