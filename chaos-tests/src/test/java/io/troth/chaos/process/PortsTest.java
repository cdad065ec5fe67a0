package io.troth.chaos.process;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.util.HashSet;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

/**
 * Goal: tests and demos that run at the same time on one machine do not get into each other's way. Method: the class once more, as
 * another JVM has it, and so many ports that chance would give one twice.
 */
class PortsTest {

    private static final int MANY = 300;

    @Test
    void noOtherJvmGetsTheSamePort() throws ReflectiveOperationException, IOException {
        URL[] here = {Ports.class.getProtectionDomain().getCodeSource().getLocation()};
        try (URLClassLoader others = new URLClassLoader(here, null)) {
            Class<?> elsewhere = others.loadClass(Ports.class.getName());
            Random random = new Random();
            Set<Object> given = new HashSet<>();
            for (int i = 0; i < MANY; i++) {
                assertTrue(given.add(Ports.free(random)));
                assertTrue(given.add(elsewhere.getMethod("free", Random.class).invoke(null, random)));
            }
        }
    }
}
