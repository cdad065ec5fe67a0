package io.troth.bench.peers;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * An object of a class that is there only under the Maven profile {@code peers}, so that this module compiles without it.
 *
 * @param object what the calls go to
 */
record Bean(Object object) {

    /** One prepared call. */
    interface Call {
        void run() throws Exception;
    }

    /** A new object by the constructor without parameters. */
    static Bean create(ClassLoader loader, String className) throws Exception {
        return new Bean(loader.loadClass(className).getDeclaredConstructor().newInstance());
    }

    /** What a static method without parameters returns. */
    static Bean of(ClassLoader loader, String className, String method) throws Exception {
        return new Bean(loader.loadClass(className).getMethod(method).invoke(null));
    }

    /** Whether the class is on the class path. */
    static boolean exists(String className) {
        return Bean.class.getClassLoader().getResource(className.replace('.', '/') + ".class") != null;
    }

    Bean set(String property, Object value) throws Exception {
        call("set" + property.substring(0, 1).toUpperCase(Locale.ROOT) + property.substring(1), value);
        return this;
    }

    /** Calls the public method that has this name and as many parameters. */
    @Nullable
    Object call(String name, Object... arguments) throws Exception {
        return invoke(method(name, arguments.length), arguments);
    }

    /** A public method without parameters, looked up once: for what is called in every transaction. */
    Call prepared(String name) throws NoSuchMethodException {
        Method method = method(name, 0);
        return () -> invoke(method);
    }

    private Method method(String name, int parameters) throws NoSuchMethodException {
        return Arrays.stream(object.getClass().getMethods())
                .filter(each -> each.getName().equals(name) && each.getParameterCount() == parameters)
                .findFirst()
                .orElseThrow(() -> new NoSuchMethodException(object.getClass().getName() + "." + name));
    }

    private @Nullable Object invoke(Method method, Object... arguments) throws Exception {
        try {
            return method.invoke(object, arguments);
        } catch (InvocationTargetException e) {
            if (e.getCause() instanceof Exception cause) {
                throw cause;
            }
            throw e;
        }
    }
}
