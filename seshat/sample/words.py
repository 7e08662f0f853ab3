"""The everyday Spanish words of the sample: nouns, adjectives, adverbs, numerals, determiners.

Within a line the more frequent words come first; the sampler draws by rank. Marks after a noun: ``f`` feminine,
``m`` masculine, ``+`` mass noun (no plural, bare as an object), ``á`` feminine with ``el`` (el agua),
``!`` one of its kind (never in the plural).
"""

from __future__ import annotations

NOUNS: dict[str, str] = {
    "kin": """madre f!, padre m!, hermano m, hermana f, abuela f, abuelo m, hijo m, hija f, tía f, tío m, esposa f!,
        esposo m!, primo m, prima f, nieto m, nieta f""",
    "child": "niño m, niña f, bebé m, alumno m, alumna f, joven m",
    "adult": """mujer f, hombre m, maestra f, pescador m, vecino m, vecina f, amigo m, amiga f, anciano m, anciana
        f, agricultor m, cazador m, médico m, tejedora f, carpintero m, cocinera f, pastor m, músico m, jefe
        m""",
    "farm": "vaca f, gallina f, caballo m, cabra f, burro m, oveja f, cerdo m",
    "pet": "perro m, gato m",
    "bird": "pájaro m, loro m, pato m, águila fá, búho m",
    "wild": "mono m, conejo m, venado m, rana f, tortuga f, zorro m, ratón m, jaguar m, serpiente f",
    "insect": "mariposa f, abeja f, hormiga f, araña f",
    "fish": "pez m, delfín m",
    "meal": "pan m+, arroz m+, carne f+, sopa f+, pescado m+, queso m+, miel f+",
    "crop": "maíz m+, yuca f+, frijol m, papa f, calabaza f, tomate m",
    "fruit": "plátano m, naranja f, mango m, manzana f, piña f, limón m, huevo m",
    "drink": "agua fá+, leche f+, café m+",
    "spice": "sal f+, azúcar m+",
    "plant": "árbol m, flor f, hierba f, palmera f",
    "plantpart": "hoja f, semilla f, raíz f, rama f",
    "tool": "cuchillo m, red f, hacha fá, machete m, aguja f, cuerda f, escoba f, remo m, cuchara f",
    "vessel": "olla f, canasta f, cántaro m, plato m, caja f",
    "boat": "canoa f, barco m",
    "vehicle": "carro m, bicicleta f",
    "clothes": "camisa f, vestido m, sombrero m, zapato m, manta f, collar m",
    "furniture": "mesa f, silla f, cama f, hamaca f",
    "opening": "puerta f, ventana f",
    "reading": "libro m, carta f, papel m",
    "small": "lápiz m, llave f, dinero m+, regalo m",
    "light": "fuego m, vela f",
    "music": "tambor m, flauta f, guitarra f",
    "toy": "pelota f, juguete m",
    "room": "casa f, cocina f, patio m, techo m",
    "outdoors": "campo m, bosque m, jardín m, huerta f, valle m, cueva f",
    "water": "río m, mar m!, lago m, pozo m",
    "shore": "playa f, isla f",
    "height": "montaña f, colina f",
    "way": "camino m, calle f, puente m",
    "town": "pueblo m, mercado m, escuela f, plaza f, tienda f, ciudad f",
    "sky": "sol m!, luna f!, estrella f, nube f, cielo m!",
    "weather": "lluvia f!, viento m!",
    "stuff": "piedra f, leña f+, madera f+, barro m+, lana f+, tierra f!",
    "body": "mano f, pie m, cabeza f, brazo m",
    "speech": "historia f, cuento m, noticia f, sueño m, consejo m, nombre m, palabra f",
    "art": "canción f, baile m, juego m, lengua f",
    "event": "fiesta f, cosecha f, trabajo m",
}

CLASSES: dict[str, str] = {
    "human": "kin child adult",
    "animal": "farm pet bird wild insect fish",
    "beast": "farm pet wild",
    "food": "meal fruit frijol papa calabaza yuca",
    "cookable": "arroz sopa carne pescado frijol papa yuca calabaza huevo maíz plátano",
    "thing": "tool vessel clothes reading small toy music furniture",
    "goods": "clothes vessel tool toy reading regalo",
    "house": "casa cocina patio",
    "place": "room outdoors water shore height way town",
    "goal": "town outdoors water shore casa montaña colina",
    "open_air": "outdoors town shore height",
    "somewhere": "room outdoors shore way town height",
    "portable": "human farm pet wild tool vessel clothes reading small music toy boat vehicle",
    "found": "adult child farm wild bird insect plant plantpart boat crop fruit opening tool vessel furniture stuff",
    "owned": "kin pet farm tool vessel boat vehicle clothes furniture reading small music toy room speech",
    "sentient": "human pet",
    "trade": "maestra pescador agricultor cazador médico tejedora carpintero cocinera pastor músico jefe",
}
"""Names for several classes or single nouns, for the tables of verbs and adjectives."""

ADJECTIVES: dict[str, str] = {
    "ser": """grande: animal place plant thing boat vehicle fruit papa piedra; pequeño: animal place thing boat
        child fruit plantpart; bueno: human pet farm meal fruit consejo noticia cosecha historia; nuevo:
        thing boat vehicle room opening light; viejo: human pet thing boat room town; bonito: clothes
        furniture bird insect flor casa vessel art jardín; alto: child adult plant height árbol; largo: way
        cuerda historia vestido río cuento remo; joven: adult farm; hermoso: place plant sky art bird;
        fuerte: human caballo burro viento cuerda lluvia jaguar; rojo: clothes fruit flor vessel boat
        opening pájaro; blanco: clothes farm pet nube flor vessel opening; negro: farm pet clothes nube
        piedra; verde: plant plantpart loro rana colina valle; azul: clothes vessel mariposa cielo lago
        opening; amarillo: fruit flor mariposa vestido tomate; amable: human; trabajador: human hormiga
        burro; valiente: human perro; alegre: human art event; dulce: fruit miel café; pesado: stuff caja
        furniture canasta; profundo: water cueva valle raíz; ancho: way río puerta valle; rápido: caballo
        boat vehicle venado conejo; lento: tortuga burro barco carro cerdo; barato: fruit crop clothes vessel; fácil: art
        trabajo juego; difícil: trabajo camino lengua; famoso: músico historia canción; sabio: anciano
        anciana abuela abuelo jefe maestra búho; lejano: estrella pueblo isla ciudad montaña; rico: meal
        fruit""",
    "estar": """cansado: human farm; contento: human pet; triste: human pet; enfermo: human farm pet; sano: human
        farm bebé plant; caliente: meal drink piedra olla; frío: drink water piedra viento sopa; fresco:
        fruit pescado pan queso; maduro: fruit tomate calabaza; limpio: clothes room vessel agua mesa;
        sucio: clothes vessel zapato perro; lleno: vessel pozo mercado; vacío!: vessel plaza playa cueva
        calle; roto!: vessel toy red silla puente remo techo; abierto!: opening tienda escuela mercado libro;
        cerrado!: opening tienda caja; seco: leña hierba pozo madera; mojado: clothes pet tierra hierba;
        tranquilo: mar lago pueblo human; solo!: human pet; ocupado: adult kin; listo!: meal canoa barco café;
        dormido!: bebé child pet; preocupado: kin adult; perdido!: oveja llave perro""",
}
"""By copula, ``adjective: nouns it goes with``; ``;`` separates. Nobody is very what has a ``!``: roto."""

TIMES: dict[str, str] = {
    "any": "hoy; por la mañana; por la tarde; de noche; al mediodía; esta semana",
    "past": "ayer; anoche; el año pasado; hace mucho tiempo; la semana pasada",
    "present": "ahora; cada día; los domingos; en verano",
    "future": "mañana; pronto; la próxima semana; algún día",
}
"""By tense: set at the beginning of a sentence."""

FREQUENCIES = "siempre; también; a veces; nunca; a menudo; casi nunca"
"""Before the verb in both languages."""

MANNERS: dict[str, str] = {
    "skill": "bien; mal; muy bien",
    "amount": "mucho; poco; demasiado",
    "speed": "despacio; rápido; sin prisa",
    "care": "con cuidado; con alegría; con paciencia",
    "quiet": "en silencio",
    "where": "aquí; allí; cerca; lejos",
}

NUMERALS = "dos, tres, cuatro, cinco, seis, siete, ocho, nueve, diez, doce, veinte, cien"
DETERMINERS = "uno, este, ese, otro, mucho, poco, todo"
PRONOUNS = "yo, tú, nosotros, vosotros"
QUESTIONS = "qué, quién, dónde, cuándo, por qué"
PARTICLES = "y, muy, más"
